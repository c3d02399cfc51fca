// An Iggy for answers that no real server gives on demand: it takes any login, and a test says what
// it answers to everything else.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';

export interface FakeRequest {
  readonly method: string;
  readonly path: string;
  readonly bearer: string | undefined;
  readonly body: string;
}

export interface FakeReply {
  readonly status: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The answer; undefined leaves the request to what the function did with the response. */
export type FakeAnswer = (
  request: FakeRequest,
  response: ServerResponse,
) => FakeReply | undefined | Promise<FakeReply | undefined>;

export interface FakeIggy {
  readonly address: string;
  /** All but logins, in their order. */
  readonly requests: readonly FakeRequest[];
  /** Paths of the logins and refreshes taken. */
  readonly logins: readonly string[];
  stop(): Promise<void>;
}

const LOGINS = ['/users/login', '/personal-access-tokens/login', '/users/refresh-token'];

/** Of its tokens, in seconds. */
const TOKEN_LIFE = 3600;

/** Starts a fake Iggy on a free port. The caller stops it. */
export async function startFakeIggy(answer: FakeAnswer): Promise<FakeIggy> {
  const requests: FakeRequest[] = [];
  const logins: string[] = [];
  const reply = async (request: FakeRequest, response: ServerResponse): Promise<void> => {
    if (LOGINS.includes(request.path)) {
      logins.push(request.path);
      sendReply(response, loginReply(`token-${logins.length}`));
      return;
    }
    requests.push(request);
    const own = await answer(request, response);
    if (own !== undefined) {
      sendReply(response, own);
    }
  };
  const server = createServer((incoming, response) => {
    void readRequest(incoming).then(async (request) => await reply(request, response));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    address: `http://127.0.0.1:${port}`,
    requests,
    logins,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function sendReply(response: ServerResponse, { status, body, headers }: FakeReply): void {
  response.writeHead(status, { ...headers }).end(body);
}

/** What Iggy answers to a login. */
function loginReply(token: string, expiry = nowSeconds() + TOKEN_LIFE): FakeReply {
  return { status: 200, body: JSON.stringify({ user_id: 0, access_token: { token, expiry } }) };
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

async function readRequest(incoming: IncomingMessage): Promise<FakeRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) {
    if (Buffer.isBuffer(chunk)) {
      chunks.push(chunk);
    }
  }
  return {
    method: incoming.method ?? '',
    path: incoming.url ?? '',
    bearer: incoming.headers.authorization?.replace('Bearer ', ''),
    body: Buffer.concat(chunks).toString('utf8'),
  };
}
