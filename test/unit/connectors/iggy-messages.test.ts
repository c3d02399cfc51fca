import { describe, expect, it } from '@jest/globals';
import { namedHeader, readHeaders } from '../../../src/connectors/iggy-headers.ts';
import { fieldOf, parseIggyJson } from '../../../src/connectors/iggy-json.ts';
import {
  encodeMessage,
  encodePartitioning,
  readPolledBatch,
} from '../../../src/connectors/iggy-messages.ts';
import type { Partitioning } from '../../../src/connectors/iggy-messages.ts';

/** As 0.8 answers it. */
const HEADER =
  '{"checksum":12358966856308556786,"id":340282366920938463463374607431768211455,"offset":5,' +
  '"timestamp":1795282455249074,"origin_timestamp":1795282455248984,"user_headers_length":12,' +
  '"payload_length":2,"reserved":0}';

function polled(headers: string): unknown {
  return parseIggyJson(
    `{"partition_id":0,"current_offset":18446744073709551615,"count":1,"messages":[` +
      `{"header":${HEADER},"payload":"aGk="${headers}}]}`,
  );
}

describe('readPolledBatch', () => {
  it('reads every field, exactly', () => {
    expect(readPolledBatch(polled(',"user_headers":[]'), 3)).toEqual({
      partitionId: 3,
      currentOffset: 2n ** 64n - 1n,
      messages: [
        {
          offset: 5n,
          id: 2n ** 128n - 1n,
          checksum: 12358966856308556786n,
          timestampUs: 1795282455249074n,
          originTimestampUs: 1795282455248984n,
          payload: Buffer.from('hi'),
          headers: [],
        },
      ],
    });
  });

  it.each([
    [
      'a list',
      ',"user_headers":[{"key":{"kind":"string","value":"aw=="},' +
        '"value":{"kind":"uint8","value":"AQ=="}}]',
    ],
    ['a block', ',"user_headers":"AgEAAABrCQEAAAAB"'],
    ['a map', ',"user_headers":{"k":{"kind":"uint8","value":"AQ=="}}'],
    ['a map by the name of 0.6', ',"headers":{"k":{"kind":"uint8","value":"AQ=="}}'],
    ['a map beside null', ',"user_headers":null,"headers":{"k":{"kind":"uint8","value":"AQ=="}}'],
  ])('reads headers from %s', (_, text) => {
    const [message] = readPolledBatch(polled(text), 0).messages;
    expect(message?.headers).toEqual([namedHeader('k', { kind: 'uint8', value: 1 })]);
  });

  it('reads none where 0.6 leaves them out', () => {
    expect(readPolledBatch(polled(''), 0).messages[0]?.headers).toEqual([]);
  });

  it.each([
    ['a block of garbage', '"Z2FyYmFnZSEhZ2FyYmFnZQ=="', 'garbage!!garbage'],
    ['a block that ends too early', '"AgoAAABB"', '\x02\n\0\0\0A'],
    ['a list without values', '[{}]', '[{}]'],
    ['a number', '5', '5'],
  ])('keeps %s for headers beside its message', (_, form, bytes) => {
    const { messages } = readPolledBatch(polled(`,"user_headers":${form}`), 0);
    expect(messages).toMatchObject([
      {
        offset: 5n,
        payload: Buffer.from('hi'),
        headers: [],
        unreadHeaders: {
          reason: expect.stringContaining('its headers cannot be read: '),
          bytes: Buffer.from(bytes),
        },
      },
    ]);
  });

  it('reads an empty batch of another partition than it says', () => {
    const reply = parseIggyJson('{"partition_id":0,"current_offset":0,"count":0,"messages":[]}');
    expect(readPolledBatch(reply, 1)).toEqual({ partitionId: 1, currentOffset: 0n, messages: [] });
  });

  it.each([
    ['nothing', undefined, 'no list of messages'],
    ['no messages', {}, 'no list of messages'],
    ['a message without payload', { messages: [{ header: {} }] }, 'no payload'],
    ['a message without header', { messages: [{ payload: 'aGk=' }] }, 'no integer "offset"'],
    [
      'an offset that is no integer',
      { messages: [{ payload: 'aGk=', header: { offset: 1.5 } }] },
      'no integer "offset"',
    ],
  ])('refuses %s', (_, reply, message) => {
    expect(() => readPolledBatch(reply, 0)).toThrow(message);
  });
});

describe('encodeMessage', () => {
  it.each([
    [0n, '"0"'],
    [7n, '"7"'],
    [2n ** 128n - 1n, '"340282366920938463463374607431768211455"'],
  ])('writes the id %p as text', (id, text) => {
    expect(encodeMessage({ id, payload: Buffer.from('hi') }, 'list')).toBe(
      `{"id":${text},"payload":"aGk="}`,
    );
  });

  it.each([
    ['list', 'user_headers'],
    ['map', 'headers'],
  ] as const)('writes headers as a %s under %s, in ASCII', (form, name) => {
    const headers = [namedHeader('größe🙂', { kind: 'uint8', value: 1 })];
    const text = encodeMessage({ id: 1n, payload: Buffer.from('hi'), headers }, form);
    expect(Buffer.byteLength(text)).toBe(text.length);
    expect(readHeaders(fieldOf(JSON.parse(text), name))).toEqual(headers);
  });

  it('encodes only the bytes of a view', () => {
    const payload = new Uint8Array(Buffer.from('xhix')).subarray(1, 3);
    expect(encodeMessage({ id: 1n, payload }, 'list')).toContain('"aGk="');
  });

  it.each([
    [{ id: 1n, payload: Buffer.alloc(0) }, 'Iggy takes no empty payload'],
    [{ id: -1n, payload: Buffer.from('hi') }, 'it is not of 128 bits'],
    [{ id: 2n ** 128n, payload: Buffer.from('hi') }, 'it is not of 128 bits'],
  ])('refuses what Iggy would refuse: %#', (message, reason) => {
    expect(() => encodeMessage(message, 'list')).toThrow(reason);
  });
});

describe('encodePartitioning', () => {
  it.each<[Partitioning, string]>([
    [{ kind: 'balanced' }, '{"kind":"balanced","value":""}'],
    [{ kind: 'partition', partitionId: 0 }, '{"kind":"partition_id","value":"AAAAAA=="}'],
    [{ kind: 'partition', partitionId: 999 }, '{"kind":"partition_id","value":"5wMAAA=="}'],
    [{ kind: 'key', key: Buffer.from('key') }, '{"kind":"messages_key","value":"a2V5"}'],
  ])('writes %j as %s', (partitioning, text) => {
    expect(encodePartitioning(partitioning)).toBe(text);
  });
});
