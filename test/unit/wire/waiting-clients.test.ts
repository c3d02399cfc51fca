import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { WaitingClients } from '../../../wire/waiting-clients.ts';

interface Client {
  readonly address: string;
  readonly name: string;
}

/** A client for each word `name@address`. */
function clientsOf(words: string): Client[] {
  return words.split(' ').map((word) => {
    const [name = '', address = ''] = word.split('@');
    return { name, address };
  });
}

/** Who went while these were added, in order. */
function surplusOf(waiting: WaitingClients<Client>, words: string): string[] {
  return clientsOf(words).flatMap((client) => waiting.add(client)?.name ?? []);
}

describe('Clients that wait', () => {
  it.each([
    ['nobody while there is room', 'a@1 b@1 c@2', []],
    ['the oldest where all are of one address', 'a@1 b@1 c@1 d@1 e@1', ['a', 'b']],
    ['the oldest where each has an address', 'a@1 b@2 c@3 d@4 e@5', ['a', 'b']],
    ['the oldest of the address that has most', 'a@1 b@2 c@2 d@2 e@3', ['b', 'c']],
    ['the own oldest of an address that comes to have most', 'a@1 b@2 c@3 d@2', ['b']],
    ['the older of two addresses that have as many', 'a@1 b@2 c@2 d@1', ['a']],
    [
      'the oldest of a network of IPv6',
      'a@10.0.0.1 b@2001:db8::1 c@2001:db8::2 d@2001:db8:1::1',
      ['b'],
    ],
    [
      'the oldest of an address in either form',
      'a@10.0.0.2 b@10.0.0.1 c@::ffff:10.0.0.1 d@1',
      ['b'],
    ],
  ])('lose %s', (_name, words, surplus) => {
    expect(surplusOf(new WaitingClients(3), words)).toEqual(surplus);
  });

  it('keep the places of others, however many come from one address', () => {
    const waiting = new WaitingClients<Client>(10);
    surplusOf(waiting, 'a@1 b@2 c@3');
    const gone = surplusOf(waiting, Array(1000).fill('x@4').join(' '));
    expect(gone).toHaveLength(993);
    expect(new Set(gone)).toEqual(new Set(['x']));
    expect([...waiting].slice(0, 3).map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  });

  it('make room when they go', () => {
    const waiting = new WaitingClients<Client>(2);
    const [a, b, c, d] = clientsOf('a@1 b@1 c@2 d@2') as [Client, Client, Client, Client];
    expect([waiting.add(a), waiting.add(b)]).toEqual([undefined, undefined]);
    expect([waiting.delete(a), waiting.delete(a), waiting.has(a)]).toEqual([true, false, false]);
    expect([waiting.add(c), waiting.size]).toEqual([undefined, 2]);
    expect(waiting.add(d)).toBe(c);
    expect([...waiting]).toEqual([b, d]);
  });

  it('are never more than their bound, and the new one is never who goes', () => {
    const step = fc.record({
      address: fc.constantFrom('1', '2', '3', '4'),
      isLeaving: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step), fc.integer({ min: 1, max: 5 }), (steps, max) => {
        const waiting = new WaitingClients<Client>(max);
        for (const [index, { address, isLeaving }] of steps.entries()) {
          const [oldest] = waiting;
          if (isLeaving && oldest !== undefined) {
            waiting.delete(oldest);
          }
          const client = { address, name: `${index}` };
          expect(waiting.add(client)).not.toBe(client);
          expect(waiting.has(client)).toBe(true);
          expect(waiting.size).toBeLessThanOrEqual(max);
          expect([...waiting]).toHaveLength(waiting.size);
        }
      }),
      { seed: 12, numRuns: 300 },
    );
  });
});
