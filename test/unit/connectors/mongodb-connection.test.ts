import { describe, expect, it } from '@jest/globals';
import { openMongodb } from '../../../src/connectors/mongodb-connection.ts';
import { NEVER } from '../../support/sink-messages.ts';

const SECRET = 'pa55word';

/** Port 1 has no listener. */
const CLOSED = `mongodb://application:${SECRET}@127.0.0.1:1/?serverSelectionTimeoutMS=100`;

async function failureOf(connectionUri: string, signal = NEVER): Promise<unknown> {
  return await openMongodb({ connectionUri, appName: 'test' }, signal).then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('openMongodb', () => {
  it.each([
    ['no scheme', 'localhost'],
    ['no host', 'mongodb://'],
    ['an unknown option', `mongodb://u:${SECRET}@h/?nonsense=1`],
    ['a wrong option', `mongodb://u:${SECRET}@h/?maxPoolSize=${SECRET}`],
    ['characters that are not escaped', `mongodb://u:${SECRET}@@h/x@y`],
    ['w=0', `mongodb://u:${SECRET}@h/?w=0`],
  ])('given_%s_should_refuse_the_configuration_without_secrets', async (_name, uri) => {
    const error = await failureOf(uri);
    expect(error).toMatchObject({ kind: 'invalid-config' });
    expect(String(error)).toContain('connection_uri');
    expect(String(error)).not.toContain(SECRET);
  });

  it('given_an_unknown_option_should_name_it', async () => {
    expect(String(await failureOf('mongodb://h/?nonsense=1'))).toContain('nonsense');
  });

  it('given_w_0_should_say_what_is_wrong', async () => {
    expect(String(await failureOf('mongodb://h/?w=0'))).toContain('w=0');
  });

  it('given_no_server_should_fail_to_init_and_redact_the_uri', async () => {
    const error = await failureOf(CLOSED);
    expect(error).toMatchObject({ kind: 'init' });
    expect(String(error)).toContain('mongodb://app***');
    expect(String(error)).toContain('ECONNREFUSED');
    expect(String(error)).not.toMatch(/pa55word|application|127\.0\.0\.1/);
  });

  it('given_an_aborted_signal_should_throw_its_reason', async () => {
    const reason = new Error('stop');
    expect(await failureOf(CLOSED, AbortSignal.abort(reason))).toBe(reason);
  });

  it('given_a_stop_while_connecting_should_throw_its_reason_at_once', async () => {
    const reason = new Error('stop');
    const controller = new AbortController();
    const uri = 'mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=60000';
    const failure = failureOf(uri, controller.signal);
    setImmediate(() => {
      controller.abort(reason);
    });
    expect(await failure).toBe(reason);
  });
});
