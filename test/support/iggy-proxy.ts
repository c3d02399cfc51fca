// A proxy before a real Iggy, for what it does not do on demand: a test looks at each request, and
// says what becomes of it.
import { once } from 'node:events';
import { createServer, request as forward } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';

export interface ProxiedRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly body: string;
}

/**
 * `pass` hands it on, `swallow` keeps it from the server and never answers, `mute` hands it on and
 * keeps the answer, `reset` breaks the connection off, `halve` sends half of the answer and breaks
 * off; a reply is answered in the server's place.
 */
export type Verdict =
  | 'pass'
  | 'swallow'
  | 'mute'
  | 'reset'
  | 'halve'
  | {
      readonly status: number;
      readonly body?: string;
      readonly headers?: Readonly<Record<string, string>>;
    };

export interface IggyProxy {
  readonly address: string;
  stop(): Promise<void>;
}

/**
 * Starts a proxy on a free port. The caller stops it.
 *
 * @param judge is asked for every request
 * @param onAnswered learns that the server has answered, before the client does
 */
export async function startIggyProxy(
  address: string,
  judge: (request: ProxiedRequest) => Verdict,
  onAnswered: (request: ProxiedRequest) => void = () => undefined,
): Promise<IggyProxy> {
  const server = createServer((incoming, response) => {
    void relay(incoming, response).catch(() => response.destroy());
  });
  const relay = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await buffer(incoming);
    const request = {
      method: incoming.method ?? '',
      path: incoming.url ?? '',
      body: body.toString('utf8'),
    };
    const verdict = judge(request);
    if (typeof verdict === 'object') {
      response.writeHead(verdict.status, { ...verdict.headers }).end(verdict.body);
      return;
    }
    if (verdict === 'reset') {
      response.socket?.resetAndDestroy();
      return;
    }
    if (verdict === 'swallow') {
      return;
    }
    const asked = forward(new URL(request.path, address), {
      method: request.method,
      headers: incoming.headers,
      agent: false,
    });
    asked.end(body);
    const answer = await untilResponse(asked);
    const bytes = await buffer(answer);
    onAnswered(request);
    if (verdict === 'mute') {
      return;
    }
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    if (verdict === 'halve') {
      response.write(bytes.subarray(0, bytes.length / 2), () => response.destroy());
      return;
    }
    response.end(bytes);
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  return {
    address: `http://127.0.0.1:${port}`,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function untilResponse(asked: ReturnType<typeof forward>): Promise<IncomingMessage> {
  return await new Promise((resolve, reject) => {
    asked.once('response', resolve);
    asked.once('error', reject);
  });
}
