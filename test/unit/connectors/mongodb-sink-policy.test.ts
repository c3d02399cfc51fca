import { describe, expect, it } from '@jest/globals';
import type { ConsumeOutcome } from '../../../src/connectors/connector.ts';
import { ConnectorError } from '../../../src/connectors/connector-error.ts';
import type { Rejected } from '../../../src/connectors/mongodb-sink-dead-letters.ts';
import { settle } from '../../../src/connectors/mongodb-sink-policy.ts';
import type { PolicyOptions } from '../../../src/connectors/mongodb-sink-policy.ts';
import type { Fate } from '../../../src/connectors/mongodb-sink-verdicts.ts';
import { batchOf, polledMessages, recordLog } from '../../support/sink-messages.ts';
import type { RecordedLog } from '../../support/sink-messages.ts';

/** s stored, p replayed, r rejected, ? unknown. */
const FATES: Readonly<Record<string, Fate | undefined>> = {
  s: { kind: 'stored' },
  p: { kind: 'replayed' },
  r: { kind: 'rejected', reason: 'broken' },
};

const AWAY = new ConnectorError('connection', 'away');

interface Settled {
  readonly outcome: ConsumeOutcome;
  readonly kept: readonly bigint[];
  readonly log: RecordedLog;
}

async function settled(
  fates: string,
  onFailure: PolicyOptions['onFailure'],
  deadLetterFailure?: Error,
): Promise<Settled> {
  const log = recordLog();
  const kept: bigint[] = [];
  const tried = {
    fates: Array.from(fates, (fate) => FATES[fate]),
    retriesCount: 2,
    failure: fates.includes('?') ? AWAY : undefined,
  };
  const storeDeadLetters = async (rejected: readonly Rejected[]): Promise<void> => {
    await Promise.resolve();
    if (deadLetterFailure !== undefined) {
      throw deadLetterFailure;
    }
    kept.push(...rejected.map(({ message }) => message.offset));
  };
  const batch = batchOf(polledMessages(10, 10 + fates.length));
  const outcome = await settle(batch, tried, { onFailure, log, storeDeadLetters });
  return { outcome, kept, log };
}

describe('settle', () => {
  it.each(['halt', 'dead_letter', 'skip'] as const)(
    'given_all_stored_with_%s_should_settle_all',
    async (policy) => {
      const { outcome } = await settled('sps', policy);
      expect(outcome).toEqual({
        settledCount: 3,
        storedCount: 2,
        replayedCount: 1,
        deadLetteredCount: 0,
        skippedCount: 0,
        errorsCount: 2,
        failure: undefined,
      });
    },
  );

  it.each([
    ['srs', 'halt', { settledCount: 1, errorsCount: 3, storedCount: 2 }],
    ['rrs', 'halt', { settledCount: 0, errorsCount: 4 }],
    ['srs', 'skip', { settledCount: 3, skippedCount: 1, failure: undefined }],
    ['srs', 'dead_letter', { settledCount: 3, deadLetteredCount: 1, failure: undefined }],
    // What is away comes again, and so does everything behind it.
    ['s?s', 'halt', { settledCount: 1, failure: AWAY, storedCount: 2 }],
    ['s?s', 'skip', { settledCount: 1, failure: AWAY, skippedCount: 0 }],
    ['s?s', 'dead_letter', { settledCount: 1, failure: AWAY, deadLetteredCount: 0 }],
    ['r?r', 'skip', { settledCount: 1, failure: AWAY, skippedCount: 1 }],
    ['r?r', 'dead_letter', { settledCount: 1, failure: AWAY, deadLetteredCount: 1 }],
    ['?r', 'dead_letter', { settledCount: 0, failure: AWAY, deadLetteredCount: 0 }],
    ['', 'halt', { settledCount: 0, failure: undefined }],
  ] as const)('given_%j_with_%s_should_settle_the_prefix', async (fates, policy, expected) => {
    const { outcome } = await settled(fates, policy);
    expect(outcome).toMatchObject(expected);
  });

  it('given_halt_should_say_which_message_why_and_what_to_do', async () => {
    const { outcome } = await settled('sr', 'halt');
    expect(outcome.failure?.kind).toBe('invalid-record');
    expect(outcome.failure?.message).toContain('offset 11 of stream "orders", topic "created"');
    expect(outcome.failure?.message).toContain('broken');
    expect(outcome.failure?.message).toContain('on_failure');
  });

  it('given_skip_should_log_every_message', async () => {
    const { log } = await settled('rsr', 'skip');
    expect(log.warnings.map((line) => /offset (\d+)/.exec(line)?.[1])).toEqual(['10', '12']);
  });

  it('given_dead_letter_should_keep_those_that_do_not_come_again', async () => {
    const { kept, log } = await settled('rs?r', 'dead_letter');
    expect(kept).toEqual([10n]);
    expect(log.warnings).toHaveLength(1);
  });

  it('given_a_dead_letter_that_cannot_be_kept_should_halt_before_it', async () => {
    const failure = new ConnectorError('storage', 'full');
    const { outcome } = await settled('sr', 'dead_letter', failure);
    expect(outcome).toMatchObject({ settledCount: 1, deadLetteredCount: 0, failure });
  });

  it('given_a_stop_while_keeping_should_throw_it', async () => {
    await expect(settled('sr', 'dead_letter', new Error('stop'))).rejects.toThrow('stop');
  });
});
