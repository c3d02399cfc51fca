import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { encodeBatches } from '../../../src/connectors/iggy-batches.ts';
import type { BatchOptions } from '../../../src/connectors/iggy-batches.ts';
import { namedHeader } from '../../../src/connectors/iggy-headers.ts';
import { fieldOf, parseIggyJson } from '../../../src/connectors/iggy-json.ts';
import type { OutgoingMessage } from '../../../src/connectors/iggy-messages.ts';

const OPTIONS: BatchOptions = {
  partitioning: { kind: 'partition', partitionId: 0 },
  form: 'list',
  bytesMax: 1000,
};

function message(id: number, payloadBytes: number): OutgoingMessage {
  return { id: BigInt(id), payload: Buffer.alloc(payloadBytes, 'x') };
}

function idsOf(body: string): unknown[] {
  const messages = fieldOf(parseIggyJson(body), 'messages');
  return Array.isArray(messages) ? messages.map((sent: unknown) => fieldOf(sent, 'id')) : [];
}

describe('encodeBatches', () => {
  it('keeps what fits in one request', () => {
    const batches = [...encodeBatches([message(1, 10), message(2, 10)], OPTIONS)];
    expect(batches).toEqual([
      {
        body:
          '{"partitioning":{"kind":"partition_id","value":"AAAAAA=="},"messages":[' +
          '{"id":"1","payload":"eHh4eHh4eHh4eA=="},{"id":"2","payload":"eHh4eHh4eHh4eA=="}]}',
        messagesCount: 2,
      },
    ]);
  });

  it('makes no request of no messages', () => {
    expect([...encodeBatches([], OPTIONS)]).toEqual([]);
  });

  it('fills a request to its last byte, and not beyond', () => {
    const messages = [message(1, 30), message(2, 30)];
    const [whole] = encodeBatches(messages, OPTIONS);
    const length = whole?.body.length ?? 0;
    const counts = (bytesMax: number): number[] =>
      [...encodeBatches(messages, { ...OPTIONS, bytesMax })].map((batch) => batch.messagesCount);
    expect(counts(length)).toEqual([2]);
    expect(counts(length - 1)).toEqual([1, 1]);
  });

  it('splits without losing, repeating or reordering, below the limit', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 600 }), { maxLength: 40 });
    fc.assert(
      fc.property(sizes, (bytes) => {
        const messages = bytes.map((size, id) => message(id, size));
        const batches = [...encodeBatches(messages, OPTIONS)];
        expect(batches.flatMap(({ body }) => idsOf(body))).toEqual(bytes.map((_, id) => `${id}`));
        for (const { body, messagesCount } of batches) {
          expect(Buffer.byteLength(body)).toBeLessThanOrEqual(OPTIONS.bytesMax);
          expect(idsOf(body).length).toBe(messagesCount);
        }
      }),
    );
  });

  it('splits by number as well', () => {
    const messages = Array.from({ length: 10_001 }, (_, id) => message(id, 1));
    const batches = encodeBatches(messages, { ...OPTIONS, bytesMax: 10_000_000 });
    expect([...batches].map(({ messagesCount }) => messagesCount)).toEqual([10_000, 1]);
  });

  it('throws for a message that fits nowhere before anything is sent', () => {
    const batches = encodeBatches([message(1, 10), message(2, 5000)], OPTIONS);
    expect(() => batches.next()).toThrow(/^Message 2 cannot be sent: encoded it takes 6668 bytes/);
  });

  it('throws for headers that fit nowhere when their turn comes', () => {
    const value = { kind: 'string', value: 'x'.repeat(255) } as const;
    const headers = ['a', 'b', 'c'].map((name) => namedHeader(name, value));
    const batches = encodeBatches([message(1, 800 / 2), { ...message(2, 400), headers }], OPTIONS);
    expect(() => [...batches]).toThrow('Message 2 cannot be sent');
  });
});
