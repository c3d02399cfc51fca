import { beforeEach, describe, expect, test } from '@jest/globals';
import { serialize } from 'pg-protocol';
import { LOGIN_FRAME_BYTES_MAX, ProtocolError } from '../../../../wire/protocol/frame.ts';
import { FrameReader } from '../../../../wire/protocol/frame-reader.ts';
import { frameHeader, sizedFrame } from '../../../support/backend-frames.ts';
import { queryFrame } from '../../../support/wire-client.ts';

let reader: FrameReader;

beforeEach(() => {
  reader = new FrameReader();
});

describe('nextLoginFrame', () => {
  test('reads answers to authentication requests, and Terminate', () => {
    const frames = [
      serialize.sendSASLInitialResponseMessage('SCRAM-SHA-256', 'n,,n=*,r=abc'),
      serialize.sendSCRAMClientFinalMessage('c=biws'),
      sizedFrame('p', LOGIN_FRAME_BYTES_MAX),
      serialize.end(),
    ];
    reader.push(Buffer.concat(frames));
    expect(frames.map(() => reader.nextLoginFrame()?.bytes)).toEqual(frames);
  });

  test.each(['Q', 'P', 'B', 'D', 'E', 'C', 'H', 'S', 'F', 'd', 'c', 'f', 'R', '\0', '\x16'])(
    'refuses the type byte %j on its header, before its body has come',
    (type) => {
      reader.push(frameHeader(type, 100));
      expect(() => reader.nextLoginFrame()).toThrow(
        new ProtocolError(`expected SASL response, got message type ${type.charCodeAt(0)}`),
      );
    },
  );

  test.each([
    ['p', LOGIN_FRAME_BYTES_MAX],
    ['p', 1024 * 1024],
    ['p', 0x7fffffff],
    ['p', -1],
    ['p', 3],
    ['p', 0],
    ['X', 0x7fffffff],
  ])('refuses a frame %s of the length word %d on its header', (type, lengthWord) => {
    reader.push(frameHeader(type, lengthWord));
    expect(() => reader.nextLoginFrame()).toThrow(new ProtocolError('invalid message length'));
  });

  test('waits for a header and a body of which bytes are missing', () => {
    const frame = serialize.sendSCRAMClientFinalMessage('c=biws');
    for (let length = 0; length < frame.length; length += 1) {
      const partReader = new FrameReader();
      partReader.push(frame.subarray(0, length));
      expect(partReader.nextLoginFrame()).toBeUndefined();
    }
  });

  test('leaves what came behind the login for whoever reads next', () => {
    const frame = serialize.sendSCRAMClientFinalMessage('c=biws');
    reader.push(Buffer.concat([frame, queryFrame('select 1')]));
    expect(reader.nextLoginFrame()?.bytes).toEqual(frame);
    expect(reader.bufferedBytes).toBe(queryFrame('select 1').length);
    expect(reader.nextFrame()?.bytes).toEqual(queryFrame('select 1'));
  });
});
