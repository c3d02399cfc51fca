import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { IggyClient } from '../../../src/connectors/iggy-client.ts';
import { findTopic } from '../../../src/connectors/topics.ts';
import { startMemoryIggy } from '../../support/memory-iggy.ts';
import type { MemoryIggy } from '../../support/memory-iggy.ts';
import { createImpatientClient } from '../../support/run-stage.ts';

const NEVER = new AbortController().signal;
const WANTED = { stream: 'app', topic: 'events' };

let iggy: MemoryIggy;
let client: IggyClient;

beforeEach(async () => {
  iggy = await startMemoryIggy();
  client = createImpatientClient(iggy.address);
});

afterEach(async () => {
  client.close();
  await iggy.stop();
});

describe('findTopic', () => {
  it('given_a_topic_should_return_its_partitions_and_make_nothing', async () => {
    iggy.createTopic('app/events', 2);
    const found = await findTopic(client, { ...WANTED, autoCreatePartitionsCount: 5 }, NEVER);
    expect(found.partitions.map(({ id }) => id)).toEqual([0, 1]);
    expect(iggy.requests.map(({ method }) => method)).toEqual(['GET']);
  });

  it('given_none_should_throw_what_to_do', async () => {
    await expect(findTopic(client, WANTED, NEVER)).rejects.toMatchObject({
      kind: 'connection',
      message:
        'Iggy has no topic "events" of stream "app": create it, or correct its name; it is ' +
        'looked for again',
    });
    expect(iggy.requests.map(({ method }) => method)).toEqual(['GET']);
  });

  it('given_none_and_auto_create_should_make_the_stream_and_the_topic', async () => {
    const found = await findTopic(client, { ...WANTED, autoCreatePartitionsCount: 3 }, NEVER);
    expect(found.partitions).toHaveLength(3);
  });

  it('given_a_topic_that_is_gone_when_it_was_made_should_throw', async () => {
    iggy.fault = ({ method }) => (method === 'GET' ? { status: 404 } : undefined);
    const finding = findTopic(client, { ...WANTED, autoCreatePartitionsCount: 1 }, NEVER);
    await expect(finding).rejects.toMatchObject({ kind: 'connection' });
  });

  it('given_digits_for_a_name_should_throw_instead_of_making_it', async () => {
    const wanted = { stream: '7', topic: 'events', autoCreatePartitionsCount: 1 };
    await expect(findTopic(client, wanted, NEVER)).rejects.toMatchObject({ kind: 'refused' });
  });
});
