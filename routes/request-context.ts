// What is known of a request besides what Express keeps: who asks, and until when.
import assert from 'node:assert/strict';
import type { Request } from 'express';
import type { Account } from '../src/account.ts';
import type { FoundToken } from '../src/accounts.ts';
import { ServiceError, SQLSTATE } from '../src/errors.ts';

/** What a caller may do; each includes the ones before it. */
export type Scope = 'read' | 'write' | 'admin';

export interface RequestContext {
  /** Of the client's X-Request-Id where that is usable, else a UUID of ours. */
  readonly requestId: string;
  /** The client's address, as `trust proxy` lets it be seen. */
  readonly address: string;
  /** Aborted with a ServiceError when the client has gone, or the service ends. */
  readonly signal: AbortSignal;
  /** Name of the token or account; `anonymous` where none is asked for. */
  caller: string;
  scope: Scope;
  /** Undefined for anonymous callers and for tokens of the configuration. */
  account?: Account | undefined;
  /** The one of the account that the request came with; undefined with a cookie. */
  token?: FoundToken | undefined;
  /** Of whom the activity and the cached answers are: `account:<id>`, `token:<name>`. */
  owner?: string | undefined;
  /** What the session of a cookie is called where it is shown; undefined without a cookie. */
  webSessionId?: string | undefined;
}

const contexts = new WeakMap<Request, RequestContext>();
const stoppers = new WeakMap<Request, AbortController>();

/** @param stopper of the context's signal */
export function keepContext(
  request: Request,
  context: RequestContext,
  stopper: AbortController,
): void {
  contexts.set(request, context);
  stoppers.set(request, stopper);
}

/** Stops whatever runs for the request. */
export function stopRequest(request: Request, reason: ServiceError): void {
  stoppers.get(request)?.abort(reason);
}

/** The context that the first middleware has made for every request. */
export function contextOf(request: Request): RequestContext {
  const context = contexts.get(request);
  assert(context !== undefined, 'Every request has a context');
  return context;
}

/** The client is not there to read it; the audit is. */
export function clientGoneError(): ServiceError {
  return new ServiceError(SQLSTATE.queryCanceled, 'canceling statement as the client has gone');
}
