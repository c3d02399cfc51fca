import { describe, expect, test } from '@jest/globals';
import { Duplex } from 'node:stream';
import { guardLogin } from '../../../../src/backends/postgres/login-guard.ts';
import {
  backendFrame,
  frameHeader,
  inPieces,
  parameterStatus,
  readyForQuery,
  report,
  sizedFrame,
} from '../../../support/backend-frames.ts';

/** What a login in good order says. */
const LOGIN = Buffer.concat([
  backendFrame('R', Buffer.alloc(4)),
  parameterStatus('server_version', '16.0'),
  report('N', { S: 'NOTICE', C: '00000', M: 'welcome' }),
  report('E', { S: 'FATAL', C: '57P03', M: 'starting' }),
  backendFrame('E', '\0'),
  readyForQuery(),
]);

interface Guarded {
  /** What reached the parser. */
  readonly parsed: Buffer[];
  /** Sends chunks, and gives what the connection was destroyed with. */
  readonly send: (...chunks: readonly Buffer[]) => Promise<Error | undefined>;
}

/** A connection whose parser does this with a chunk. */
function guarded(parse: (chunk: Buffer) => void = () => undefined): Guarded {
  const stream = new Duplex({
    read: () => undefined,
    write: (_chunk, _encoding, done) => {
      done();
    },
  });
  const parsed: Buffer[] = [];
  let error: Error | undefined;
  stream.on('data', (chunk: Buffer) => {
    parsed.push(chunk);
    parse(chunk);
  });
  stream.on('error', (thrown) => {
    error = thrown;
  });
  guardLogin(stream);
  return {
    parsed,
    send: async (...chunks) => {
      for (const chunk of chunks) {
        stream.push(chunk);
        await new Promise((resolve) => setImmediate(resolve));
      }
      return error;
    },
  };
}

describe('a login in good order', () => {
  test.each([1, 2, 7, 64, 1000])('reaches the parser unchanged in pieces of %d', async (bytes) => {
    const { parsed, send } = guarded();
    expect(await send(...inPieces(LOGIN, bytes))).toBeUndefined();
    expect(Buffer.concat(parsed)).toEqual(LOGIN);
  });
});

describe('a fault in the login ends the connection, and nothing else', () => {
  test('that the parser throws', async () => {
    const thrown = new Error('Unknown authenticationOk message type 7');
    const { send } = guarded(() => {
      throw thrown;
    });
    expect(await send(LOGIN)).toBe(thrown);
  });

  test.each([
    ['an error without an end', backendFrame('E', 'SFATAL\0C57P03\0')],
    ['an error without a single field', backendFrame('E', '')],
    ['an error that ends in a string', backendFrame('E', 'SFATAL')],
    ['a notice without an end', backendFrame('N', 'SNOTICE\0')],
    ['a frame larger than a login has', sizedFrame('S', 65 * 1024)],
    ['a frame of 2 GB', Buffer.concat([frameHeader('S', 0x7fffffff), Buffer.alloc(1024)])],
    ['an impossible length', frameHeader('R', 3)],
  ])('that is %s, and never reaches the parser', async (_name, frame) => {
    const { parsed, send } = guarded();
    expect(await send(LOGIN, frame)).toMatchObject({ name: 'ProtocolError' });
    expect(Buffer.concat(parsed)).toEqual(LOGIN);
  });
});
