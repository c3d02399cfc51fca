// Requests as a client of the REST API sends them, down to what fetch would not send: a Host of
// another name, a body that is no text, a connection that is kept or looked at.
import { request as openRequest } from 'node:http';
import type { Agent, IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';

/** A request that hangs is a failed test, not a stuck run. */
const ANSWER_TIMEOUT_MS = 25_000;

export interface Question {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A bearer token. */
  readonly token?: string | undefined;
  /** An object is sent as JSON, anything else as it is. */
  readonly body?: object | string | Buffer;
  /** Keeps connections where it does. */
  readonly agent?: Agent;
  readonly timeoutMs?: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** False where the connection broke off within the body. */
  readonly isWhole: boolean;
  /** From the first byte sent to the last one read. */
  readonly durationMs: number;
}

/** @throws where there is no answer: refused, closed before it, or none in time */
export async function ask(url: string, question: Question = {}): Promise<Answer> {
  const startedAtMs = performance.now();
  const body = encodeBody(question.body);
  return await new Promise<Answer>((resolve, reject) => {
    const sent = openRequest(url, {
      method: question.method ?? (body === undefined ? 'GET' : 'POST'),
      headers: headersOf(question, body),
      signal: AbortSignal.timeout(question.timeoutMs ?? ANSWER_TIMEOUT_MS),
      ...(question.agent && { agent: question.agent }),
    });
    sent.once('error', reject);
    sent.once('response', (response) => {
      // An answer may come before the whole question was sent, whose rest then fails.
      sent.on('error', () => undefined);
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', () => undefined);
      response.once('close', () => {
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString(),
          isWhole: response.complete,
          durationMs: performance.now() - startedAtMs,
        });
      });
    });
    sent.end(body);
  });
}

/** The same, its text parsed. */
export async function askJson(
  url: string,
  question: Question = {},
): Promise<readonly [status: number, body: unknown]> {
  const { status, text } = await ask(url, question);
  return [status, text === '' ? undefined : parseJson(text)];
}

/** Bytes on a bare socket of this machine; resolves with all that came until it was closed. */
export async function exchange(port: number | string, text: string): Promise<string> {
  const socket = connect(Number(port), '127.0.0.1');
  // A reset is an answer too: what came before it is all there is.
  const chunks: string[] = [];
  socket.setEncoding('latin1').on('data', (chunk) => chunks.push(String(chunk)));
  socket.on('error', () => undefined);
  socket.write(text);
  await new Promise((resolve) => socket.once('close', resolve));
  return chunks.join('');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`That is no JSON: ${text}`);
  }
}

/** The members of an answer that has to be a problem document. */
export function problemOf({ headers, text }: Answer): Readonly<Record<string, unknown>> {
  if (headers['content-type'] !== 'application/problem+json; charset=utf-8') {
    throw new Error(`That is no problem document: ${headers['content-type'] ?? ''} ${text}`);
  }
  const parsed = parseJson(text);
  return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
}

/** HTML, a stack, or a file of ours: what no client is to see. */
const INSIDES = /<\w|\n\s+at |node_modules|\.[jt]s:\d/;

/**
 * The status of an answer that shows no insides and, where it is a refusal, is a problem document
 * of that status.
 */
export function statusOf(answer: Answer): number {
  if (INSIDES.test(answer.text)) {
    throw new Error(`That shows more than it should: ${answer.text}`);
  }
  if (answer.status >= 400 && answer.text !== '') {
    const { status, title, detail, requestId } = problemOf(answer);
    const isRight = status === answer.status && requestId === answer.headers['x-request-id'];
    if (!isRight || typeof title !== 'string' || typeof detail !== 'string') {
      throw new Error(`That is no problem document of ${answer.status}: ${answer.text}`);
    }
  }
  return answer.status;
}

function encodeBody(body: Question['body']): string | Buffer | undefined {
  return typeof body === 'object' && !Buffer.isBuffer(body) ? JSON.stringify(body) : body;
}

function headersOf(
  { headers, token, method }: Question,
  body: string | Buffer | undefined,
): Record<string, string | number> {
  return {
    ...(token !== undefined && { Authorization: `Bearer ${token}` }),
    ...(body !== undefined && {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(body),
    }),
    ...(body === undefined && method === 'POST' && { 'Content-Length': 0 }),
    ...headers,
  };
}
