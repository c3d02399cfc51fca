// What is known of a request besides what Express keeps: who asks, and until when.
import assert from 'node:assert/strict';
import type { Request } from 'express';

/** What a caller may do; each includes the ones before it. */
export type Scope = 'read' | 'write' | 'admin';

export interface RequestContext {
  /** Of the client's X-Request-Id where that is usable, else a UUID of ours. */
  readonly requestId: string;
  /** The client's address, as `trust proxy` lets it be seen. */
  readonly address: string;
  /** Aborted with a ServiceError when the client has gone. */
  readonly signal: AbortSignal;
  /** Name of the token; `anonymous` where none is asked for. */
  caller: string;
  scope: Scope;
}

const contexts = new WeakMap<Request, RequestContext>();

export function keepContext(request: Request, context: RequestContext): void {
  contexts.set(request, context);
}

/** The context that the first middleware has made for every request. */
export function contextOf(request: Request): RequestContext {
  const context = contexts.get(request);
  assert(context !== undefined, 'Every request has a context');
  return context;
}
