// Stands between an upstream's bytes and the parser of `pg`, which takes them on trust: it throws
// out of a socket's event, or reads on for ever, where a login is not as it should be.
import type { Duplex } from 'node:stream';
import { BACKEND, FRAME_HEADER_BYTES, ProtocolError } from '../../../wire/protocol/frame.ts';
import { FrameScanner, WHOLE_FRAME_BYTES_MAX } from '../../../wire/protocol/frame-scanner.ts';
import type { FrameVisitor } from '../../../wire/protocol/frame-scanner.ts';

/**
 * Makes every fault of what is parsed an error of this connection, and of nothing else. Call it
 * when the parser listens already.
 */
export function guardLogin(stream: Duplex): void {
  const scanner = new FrameScanner();
  const parsers = stream.listeners('data');
  stream.removeAllListeners('data');
  stream.on('data', (chunk: Buffer) => {
    const { failure } = scanner.scan(chunk, judgeLoginFrame);
    if (failure !== undefined) {
      stream.destroy(toError(failure));
      return;
    }
    try {
      for (const parser of parsers) {
        Reflect.apply(parser, stream, [chunk]);
      }
    } catch (thrown) {
      stream.destroy(toError(thrown));
    }
  });
}

function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error('The login failed', { cause: thrown });
}

/** Drops every frame, since the parser is given the chunk: only a failure matters. */
const judgeLoginFrame: FrameVisitor = (type, frameBytes, bytes, offset) => {
  if (frameBytes > WHOLE_FRAME_BYTES_MAX) {
    throw new ProtocolError('it sent an oversized message in the login');
  }
  const isReport = type === BACKEND.errorResponse || type === BACKEND.noticeResponse;
  if (isReport && !hasTerminator(bytes, offset + FRAME_HEADER_BYTES, offset + frameBytes)) {
    throw new ProtocolError('it sent an error without an end in the login');
  }
  return 'skip';
};

/** Whether the fields of a report, each a letter and a string, end with a zero as they must. */
function hasTerminator(bytes: Buffer, start: number, end: number): boolean {
  let position = start;
  while (position < end && bytes[position] !== 0) {
    const fieldEnd = bytes.indexOf(0, position + 1);
    if (fieldEnd === -1) {
      return false;
    }
    position = fieldEnd + 1;
  }
  return position < end;
}
