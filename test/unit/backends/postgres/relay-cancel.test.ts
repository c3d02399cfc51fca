// A relay whose statements are cancelled by the client, and a relay that is closed.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { CancelDelivery } from '../../../../src/backends/postgres/cancel.ts';
import { ServiceError } from '../../../../src/errors.ts';
import {
  commandComplete,
  dataRow,
  errorResponse,
  readyForQuery,
} from '../../../support/backend-frames.ts';
import { openRelayStage, summaryOf } from '../../../support/relay-stage.ts';
import type { RelayStage } from '../../../support/relay-stage.ts';
import { queryFrame } from '../../../support/wire-client.ts';

const ANSWER = [dataRow('1'), commandComplete('SELECT 1'), readyForQuery()];

let stage: RelayStage;
/** Ends the cancel that is under way. */
let end: (delivery: CancelDelivery) => void;

beforeEach(async () => {
  stage = await openRelayStage({
    sendCancel: async () =>
      await new Promise<CancelDelivery>((resolve) => {
        end = resolve;
      }),
  });
});

afterEach(() => {
  stage.close();
});

/** Resolves when the upstream has been asked. */
async function untilAsked(): Promise<void> {
  expect((await stage.far.frame()).type).toBe('Q');
}

describe('a cancel', () => {
  test('is too late where nothing runs, and is not sent', async () => {
    expect(await stage.relay.cancel()).toBe('late');
    const { done } = stage.start();
    await untilAsked();
    stage.far.send(...ANSWER);
    await done;
    expect(await stage.relay.cancel()).toBe('late');
    expect(stage.cancels).toBe(0);
  });

  test('is told as sent when the upstream has taken it, and the answer is its own', async () => {
    const { done } = stage.start();
    await untilAsked();
    const cancelled = stage.relay.cancel();
    stage.far.send(errorResponse('57014'), readyForQuery('E'));
    const events = await done;
    expect(summaryOf(events)).toBe('EZ, was ready E');
    expect(events.at(-1)).toMatchObject({ sqlState: '57014' });
    end('taken');
    expect(await cancelled).toBe('matched');
  });

  test('keeps the next statement back until the upstream has taken it', async () => {
    const first = stage.start();
    await untilAsked();
    const cancelled = [stage.relay.cancel(), stage.relay.cancel()];
    stage.far.send(...ANSWER);
    await first.done;
    const next = stage.start({ frames: [queryFrame('next')] });
    const writtenThen = stage.near.bytesWritten;
    await new Promise((resolve) => setImmediate(resolve));
    expect(stage.near.bytesWritten).toBe(writtenThen);
    // A cancel for a statement that has not been sent yet would strike nothing.
    expect(await stage.relay.cancel()).toBe('late');
    end('taken');
    expect((await stage.far.frame()).bytes).toEqual(queryFrame('next'));
    stage.far.send(...ANSWER);
    expect(summaryOf(await next.done)).toBe('DCZ, was ready I');
    expect(await Promise.all(cancelled)).toEqual(['matched', 'matched']);
    expect(stage.cancels).toBe(1);
  });

  test('that could not be sent harms nobody', async () => {
    const { done } = stage.start();
    await untilAsked();
    const cancelled = stage.relay.cancel();
    end('unsent');
    expect(await cancelled).toBe('matched');
    stage.far.send(...ANSWER);
    expect(summaryOf(await done)).toBe('DCZ, was ready I');
  });

  test('that may still strike a later statement ends the session', async () => {
    const { done } = stage.start();
    await untilAsked();
    void stage.relay.cancel();
    end('unconfirmed');
    expect(summaryOf(await done)).toBe('FATAL 08006');
    expect(stage.near.destroyed).toBe(true);
  });
});

describe('close', () => {
  test('says Terminate, and waits for the upstream', async () => {
    const closed = stage.relay.close();
    expect((await stage.far.frame()).type).toBe('X');
    stage.far.end();
    await closed;
    expect(stage.near.destroyed).toBe(true);
    expect(stage.closings).toEqual([]);
  });

  test('ends an exchange that still waits', async () => {
    const { done } = stage.start();
    await untilAsked();
    const closed = stage.relay.close();
    expect(summaryOf(await done)).toBe('FATAL 08006');
    stage.far.end();
    await closed;
  });

  test('waits for a cancel that is under way', async () => {
    const { done } = stage.start();
    await untilAsked();
    void stage.relay.cancel();
    stage.far.send(...ANSWER);
    await done;
    const writtenThen = stage.near.bytesWritten;
    const closed = stage.relay.close();
    await new Promise((resolve) => setImmediate(resolve));
    expect(stage.near.bytesWritten).toBe(writtenThen);
    end('taken');
    expect((await stage.far.frame()).type).toBe('X');
    stage.far.end();
    await closed;
  });

  test('is all that is left when the frontend leaves in the middle of an answer', async () => {
    const failure = new ServiceError('08006', 'Client closed the connection');
    const { done } = stage.start({
      onEvent: () => {
        throw failure;
      },
    });
    await untilAsked();
    stage.far.send(dataRow('1'));
    await expect(done).rejects.toBe(failure);
    expect(stage.near.destroyed).toBe(true);
  });
});
