import { describe, expect, it } from '@jest/globals';
import { IggyError } from '../../../src/connectors/iggy-error.ts';
import type { HttpReply, HttpRequest } from '../../../src/connectors/iggy-http.ts';
import { IggySession } from '../../../src/connectors/iggy-session.ts';
import type { IggyCredentials } from '../../../src/connectors/iggy-session.ts';
import { pause } from '../../../src/connectors/retry.ts';

const NEVER = new AbortController().signal;
const PASSWORD: IggyCredentials = { kind: 'password', username: 'iggy', password: 'hunter2' };
const START_MS = 1_795_282_455_000;

interface Stage {
  readonly session: IggySession;
  readonly requests: HttpRequest[];
  nowMs: number;
  /** What the next requests are answered; a token of an hour where nothing is left. */
  readonly replies: (HttpReply | Error)[];
}

function createStage(credentials: IggyCredentials = PASSWORD): Stage {
  const requests: HttpRequest[] = [];
  const replies: (HttpReply | Error)[] = [];
  const exchange = async (request: HttpRequest): Promise<HttpReply> => {
    requests.push(request);
    const reply = replies.shift() ?? tokenReply(`token-${requests.length}`, stage.nowMs, 3600);
    return await (reply instanceof Error ? Promise.reject(reply) : Promise.resolve(reply));
  };
  const stage: Stage = {
    session: new IggySession({ credentials, exchange, now: () => stage.nowMs }),
    requests,
    replies,
    nowMs: START_MS,
  };
  return stage;
}

function tokenReply(token: string, nowMs: number, lifeSeconds: number): HttpReply {
  const expiry = Math.floor(nowMs / 1000) + lifeSeconds;
  return reply(200, { user_id: 0, access_token: { token, expiry } });
}

function reply(status: number, body: unknown): HttpReply {
  return { status, text: JSON.stringify(body), retryAfter: undefined };
}

function pathsOf({ requests }: Stage): string[] {
  return requests.map(({ path }) => path);
}

describe('IggySession', () => {
  it.each<[string, IggyCredentials, string, unknown]>([
    ['a password', PASSWORD, '/users/login', { username: 'iggy', password: 'hunter2' }],
    [
      'a personal access token',
      { kind: 'token', token: 'pat' },
      '/personal-access-tokens/login',
      { token: 'pat' },
    ],
  ])('logs in with %s', async (_, credentials, path, body) => {
    const stage = createStage(credentials);
    await expect(stage.session.token(NEVER)).resolves.toBe('token-1');
    expect(stage.requests).toEqual([{ method: 'POST', path, body: JSON.stringify(body) }]);
  });

  it('logs in once for all that wait, and for all that come later', async () => {
    const stage = createStage();
    const tokens = await Promise.all([1, 2, 3].map(async () => await stage.session.token(NEVER)));
    expect([...tokens, await stage.session.token(NEVER)]).toEqual(Array(4).fill('token-1'));
    expect(stage.requests.length).toBe(1);
  });

  it.each([
    ['a minute before the end of an hour', 3600, 3539, 3541],
    ['after half of a short life', 40, 19, 21],
  ])('exchanges a token %s', async (_, lifeSeconds, before, after) => {
    const stage = createStage();
    stage.replies.push(tokenReply('first', stage.nowMs, lifeSeconds));
    await stage.session.token(NEVER);
    stage.nowMs = START_MS + before * 1000;
    await expect(stage.session.token(NEVER)).resolves.toBe('first');
    stage.nowMs = START_MS + after * 1000;
    await expect(stage.session.token(NEVER)).resolves.toBe('token-2');
    expect(stage.requests[1]).toEqual({
      method: 'POST',
      path: '/users/refresh-token',
      body: '{"token":"first"}',
    });
  });

  it('logs in again when the old token is not exchanged', async () => {
    const stage = createStage();
    await stage.session.token(NEVER);
    stage.nowMs += 3_600_000;
    stage.replies.push(reply(401, {}));
    await expect(stage.session.token(NEVER)).resolves.toBe('token-3');
    expect(pathsOf(stage)).toEqual(['/users/login', '/users/refresh-token', '/users/login']);
  });

  it('waits for the refusal where the clocks disagree', async () => {
    const stage = createStage();
    stage.replies.push(tokenReply('first', stage.nowMs - 10_000_000, 3600));
    await stage.session.token(NEVER);
    stage.nowMs += 10_000_000;
    await expect(stage.session.token(NEVER)).resolves.toBe('first');
  });

  it('replaces a refused token once, however many learn of it', async () => {
    const stage = createStage();
    const refused = await stage.session.token(NEVER);
    const tokens = await Promise.all(
      [1, 2, 3].map(async () => await stage.session.tokenAfter(refused, NEVER)),
    );
    expect(tokens).toEqual(Array(3).fill('token-2'));
    await expect(stage.session.tokenAfter(refused, NEVER)).resolves.toBe('token-2');
    expect(pathsOf(stage)).toEqual(['/users/login', '/users/login']);
  });

  it.each<[string, IggyCredentials, HttpReply, string]>([
    [
      'a wrong password',
      PASSWORD,
      reply(400, { id: 42, code: 'invalid_credentials', reason: 'hunter2 is wrong' }),
      'Iggy refused the user name and password: check iggy.username and iggy.password',
    ],
    [
      'a wrong personal access token',
      { kind: 'token', token: 'hunter2' },
      reply(401, { id: 53, code: 'invalid_personal_access_token' }),
      'Iggy refused the personal access token: check iggy.token and when it expires',
    ],
    [
      'a wrong personal access token at 0.8',
      { kind: 'token', token: 'hunter2' },
      reply(404, { id: 404, code: 'not_found' }),
      'Iggy refused the personal access token: check iggy.token and when it expires',
    ],
  ])('says what to do about %s, and tries anew when asked again', async (_, own, refusal, text) => {
    const stage = createStage(own);
    stage.replies.push(refusal);
    await expect(stage.session.token(NEVER)).rejects.toMatchObject({
      kind: 'credentials',
      message: text,
    });
    await expect(stage.session.token(NEVER)).resolves.toBe('token-2');
  });

  it.each<[string, HttpReply | Error, string]>([
    ['no connection', new IggyError('unreachable', 'gone'), 'gone'],
    ['a busy server', reply(503, { id: 58, reason: 'later' }), 'Iggy did not log in: later'],
    ['a reply that repeats the password', reply(422, 'bad: hunter2'), 'did not log in: "bad: ***"'],
    ['no JSON', { status: 200, text: '<hunter2>', retryAfter: undefined }, 'has no access token'],
    ['no token', reply(200, { access_token: {} }), 'has no access token'],
  ])('throws for %s', async (_, answer, message) => {
    const stage = createStage();
    stage.replies.push(answer);
    const failure: unknown = await stage.session.token(NEVER).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(IggyError);
    expect(String(failure)).toContain(message);
    expect(String(failure)).not.toContain('hunter2');
  });

  it.each([400, 413])(
    'takes %d to a login for no word about what is to be sent',
    async (status) => {
      const stage = createStage();
      stage.replies.push(reply(status, 'what a proxy says'));
      await expect(stage.session.token(NEVER)).rejects.toMatchObject({
        kind: 'unavailable',
        status,
      });
    },
  );

  it('knows what must not be shown', async () => {
    const { session } = createStage();
    expect(session.secrets).toEqual(['hunter2']);
    await session.token(NEVER);
    expect(session.secrets).toEqual(['hunter2', 'token-1']);
  });

  it('lets one go that waits, and logs in for the others', async () => {
    const stage = createStage();
    const stop = new AbortController();
    const gone = stage.session.token(stop.signal);
    const other = stage.session.token(NEVER);
    stop.abort(new Error('stopped'));
    await expect(gone).rejects.toThrow('stopped');
    await expect(other).resolves.toBe('token-1');
  });

  it('does not begin for a signal that has aborted', async () => {
    const stage = createStage();
    await expect(stage.session.token(AbortSignal.abort(new Error('stopped')))).rejects.toThrow(
      'stopped',
    );
  });

  it('ends a login under way when it is closed', async () => {
    const session = new IggySession({
      credentials: PASSWORD,
      exchange: async (_, signal) => {
        await pause(60_000, signal);
        return reply(200, {});
      },
    });
    const waiting = session.token(NEVER);
    session.close();
    await expect(waiting).rejects.toThrow('The connection to Iggy is closed');
  });
});
