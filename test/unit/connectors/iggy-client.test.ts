import { afterEach, describe, expect, it } from '@jest/globals';
import { IggyClient } from '../../../src/connectors/iggy-client.ts';
import type { IggyClientOptions } from '../../../src/connectors/iggy-client.ts';
import { fieldOf, parseIggyJson } from '../../../src/connectors/iggy-json.ts';
import { restartsByItself, toRunFailure } from '../../../src/connectors/run-failure.ts';
import { startFakeIggy } from '../../support/fake-iggy.ts';
import type { FakeAnswer, FakeIggy, FakeRequest } from '../../support/fake-iggy.ts';

const NEVER = new AbortController().signal;
const PLACE = { stream: 's', topic: 't', partitionId: 0, consumer: 'c' };
const EMPTY = { status: 200, body: '{"messages":[],"current_offset":0}' };

const open: { readonly close: () => void | Promise<void> }[] = [];

afterEach(async () => {
  for (const { close } of open.splice(0)) {
    await close();
  }
});

async function openClient(
  answer: FakeAnswer,
  own: Partial<IggyClientOptions> = {},
): Promise<{ fake: FakeIggy; client: IggyClient }> {
  const fake = await startFakeIggy(answer);
  const client = new IggyClient({
    addresses: [fake.address],
    credentials: { kind: 'token', token: 'pat' },
    ...own,
  });
  open.push({ close: () => client.close() }, { close: async () => await fake.stop() });
  return { fake, client };
}

function messagesOf({ body }: FakeRequest): readonly unknown[] {
  const messages = fieldOf(parseIggyJson(body), 'messages');
  return Array.isArray(messages) ? messages : [];
}

function outgoing(count: number, payloadBytes = 10) {
  const payload = Buffer.alloc(payloadBytes, 'x');
  return Array.from({ length: count }, (_, id) => ({ id: BigInt(id), payload }));
}

describe('IggyClient.poll', () => {
  it.each([
    [{ kind: 'offset', value: 2n ** 64n - 1n }, 'kind=offset&value=18446744073709551615'],
    [{ kind: 'timestamp', value: 1795282455129059n }, 'kind=timestamp&value=1795282455129059'],
    [{ kind: 'first' }, 'kind=first&value=0'],
    [{ kind: 'last' }, 'kind=last&value=0'],
    [{ kind: 'next' }, 'kind=next&value=0'],
  ] as const)('asks from %p, and never to store the offset', async (from, asked) => {
    const { fake, client } = await openClient(() => EMPTY);
    await client.poll({ ...PLACE, from, count: 7 }, NEVER);
    expect(fake.requests.map(({ path }) => path)).toEqual([
      '/streams/s/topics/t/messages?consumer_id=c&partition_id=0' +
        `&${asked}&count=7&auto_commit=false`,
    ]);
  });

  it('asks for half as many where their answer is too large', async () => {
    const { fake, client } = await openClient(
      ({ path }) => (path.includes('count=2&') ? EMPTY : { status: 200, body: ' '.repeat(2000) }),
      { replyBytesMax: 1000 },
    );
    await client.poll({ ...PLACE, from: { kind: 'next' }, count: 10 }, NEVER);
    const counts = fake.requests.map(({ path }) => /&count=(\d+)/.exec(path)?.[1]);
    expect(counts).toEqual(['10', '5', '2']);
  });

  const LARGE = { status: 200, body: `{"messages":[],"padding":"${'x'.repeat(2000)}"}` };
  const countsOf = ({ requests }: FakeIggy) =>
    requests.map(({ path }) => /&count=(\d+)/.exec(path)?.[1]);

  it('given_one_message_over_the_bound_should_take_it_by_the_bound_of_the_largest', async () => {
    const { fake, client } = await openClient(() => LARGE, { replyBytesMax: 1000 });
    const polled = await client.poll({ ...PLACE, from: { kind: 'next' }, count: 1000 }, NEVER);
    expect(polled.messages).toEqual([]);
    expect(countsOf(fake)).toEqual(['1000', '500', '250', '1']);
  });

  it('given_a_poll_of_one_over_the_bound_should_ask_for_it_again', async () => {
    const { fake, client } = await openClient(() => LARGE, { replyBytesMax: 1000 });
    await client.poll({ ...PLACE, from: { kind: 'next' }, count: 1 }, NEVER);
    expect(countsOf(fake)).toEqual(['1', '1']);
  });

  it.each([
    [{ kind: 'offset', value: 77n } as const, 'at offset 77'],
    [{ kind: 'first' } as const, 'that is first'],
  ])('given_one_message_over_all_bounds_should_name_its_place (%#)', async (from, place) => {
    const bounds = { replyBytesMax: 1000, messageReplyBytesMax: 1500 };
    const { client } = await openClient(() => LARGE, bounds);
    await expect(client.poll({ ...PLACE, from, count: 3 }, NEVER)).rejects.toMatchObject({
      kind: 'reply-too-large',
      message: expect.stringContaining(
        `The message ${place} of partition 0 of topic "t" of stream "s" cannot be read`,
      ),
    });
  });

  it.each([400, 413])('given_%d_to_anything_but_a_send_should_pass_later', async (status) => {
    const { client } = await openClient(() => ({ status, body: '<html>Bad</html>' }));
    const asked = [
      client.poll({ ...PLACE, from: { kind: 'next' }, count: 3 }, NEVER),
      client.storeOffset(PLACE, 1n, NEVER),
      client.topic(PLACE, NEVER),
      client.storedOffset(PLACE, NEVER),
    ];
    for (const { status: outcome, ...settled } of await Promise.allSettled(asked)) {
      expect(outcome).toBe('rejected');
      const failure = toRunFailure(Reflect.get(settled, 'reason'));
      expect(failure === undefined || restartsByItself(failure.kind)).toBe(true);
      expect(failure?.kind).toBe('connection');
    }
  });
});

describe('IggyClient.send', () => {
  it('halves what the server finds too large, in order, and tells what is stored', async () => {
    const stored: number[] = [];
    const { fake, client } = await openClient((request) => ({
      status: messagesOf(request).length > 2 ? 413 : 201,
    }));
    await client.send(
      {
        ...PLACE,
        partitioning: { kind: 'balanced' },
        messages: outgoing(7),
        onStored: (count) => stored.push(count),
      },
      NEVER,
    );
    const sent = fake.requests.map(messagesOf).filter(({ length }) => length <= 2);
    expect(sent.flat().map((message) => fieldOf(message, 'id'))).toEqual([
      '0',
      '1',
      '2',
      '3',
      '4',
      '5',
      '6',
    ]);
    expect(stored).toEqual([2, 4, 6, 7]);
  });

  it('throws when the server finds a single message too large, after those before it', async () => {
    const stored: number[] = [];
    const { client } = await openClient(({ body }) => ({
      status: body.includes('"id":"2"') ? 413 : 201,
    }));
    await expect(
      client.send(
        {
          ...PLACE,
          partitioning: { kind: 'balanced' },
          messages: outgoing(4),
          onStored: (count) => stored.push(count),
        },
        NEVER,
      ),
    ).rejects.toMatchObject({ kind: 'unsendable', status: 413 });
    expect(stored).toEqual([2]);
  });

  it.each([
    ['refused by Iggy', outgoing(1), 400],
    ['larger than a request', outgoing(1, 2_000_000), 201],
    ['refused before Iggy is asked', outgoing(1, 0), 201],
  ])('given_messages_%s_should_be_their_fault', async (_, messages, status) => {
    const { client } = await openClient(() => ({ status }));
    const sent = client.send({ ...PLACE, partitioning: { kind: 'balanced' }, messages }, NEVER);
    await expect(sent).rejects.toMatchObject({ kind: 'unsendable' });
  });

  it.each(['list', 'map'] as const)('writes headers as a %s', async (headerForm) => {
    const { fake, client } = await openClient(() => ({ status: 201 }), { headerForm });
    const header = {
      key: { kind: 'string', value: 'k' },
      value: { kind: 'bool', value: true },
    } as const;
    const messages = [{ id: 1n, payload: Buffer.from('hi'), headers: [header] }];
    await client.send({ ...PLACE, partitioning: { kind: 'balanced' }, messages }, NEVER);
    const name = headerForm === 'list' ? 'user_headers' : 'headers';
    expect(fake.requests.map((request) => fieldOf(messagesOf(request)[0], name))).toEqual([
      headerForm === 'list'
        ? [{ key: { kind: 'string', value: 'aw==' }, value: { kind: 'bool', value: 'AQ==' } }]
        : { k: { kind: 'bool', value: 'AQ==' } },
    ]);
  });

  it('makes no request of no messages', async () => {
    const { fake, client } = await openClient(() => ({ status: 201 }));
    await client.send({ ...PLACE, partitioning: { kind: 'balanced' }, messages: [] }, NEVER);
    expect(fake.requests).toEqual([]);
  });
});

describe('IggyClient.storeOffset', () => {
  it('writes all digits', async () => {
    const { fake, client } = await openClient(() => ({ status: 204 }));
    await client.storeOffset(PLACE, 2n ** 64n - 1n, NEVER);
    expect(fake.requests).toMatchObject([
      {
        method: 'PUT',
        path: '/streams/s/topics/t/consumer-offsets',
        body: '{"consumer_id":"c","partition_id":0,"offset":18446744073709551615}',
      },
    ]);
  });
});
