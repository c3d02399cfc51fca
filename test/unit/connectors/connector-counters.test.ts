import { describe, expect, it } from '@jest/globals';
import { CounterTotals, toBatch } from '../../../src/connectors/connector-counters.ts';

const SINK = { type: 'sink', key: 'orders' } as const;
const SOURCE = { type: 'source', key: 'orders' } as const;

describe('toBatch', () => {
  it('given_some_numbers_should_fill_in_zeros', () => {
    const stages = [{ stage: 'poll', durationMs: 3 }] as const;
    expect(toBatch(SINK, { consumed: 2, errors: 1, stages })).toEqual({
      kind: 'connector-batch',
      type: 'sink',
      key: 'orders',
      consumed: 2,
      produced: 0,
      delivered: 0,
      replayed: 0,
      deadLettered: 0,
      skipped: 0,
      errors: 1,
      stages,
    });
  });

  it('given_an_identity_with_more_fields_should_take_what_belongs_to_it', () => {
    const identity = { ...SOURCE, name: 'Orders', file: '/etc/orders.toml' };
    expect(Object.keys(toBatch(identity, {}))).not.toContain('file');
  });
});

describe('CounterTotals', () => {
  it('given_nothing_should_be_zero', () => {
    expect(Object.values(new CounterTotals().totals)).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('given_batches_of_a_sink_should_add_each_number', () => {
    const counters = new CounterTotals();
    counters.add(
      toBatch(SINK, {
        ...{ consumed: 10, delivered: 4, replayed: 3 },
        ...{ deadLettered: 2, skipped: 1, errors: 5 },
      }),
    );
    counters.add(toBatch(SINK, { consumed: 1, delivered: 1 }));
    expect(counters.totals).toEqual({
      ...{ received: 11, delivered: 5, replayed: 3 },
      ...{ deadLettered: 2, skipped: 1, errors: 5 },
    });
  });

  it('given_batches_of_a_source_should_count_records_as_received', () => {
    const counters = new CounterTotals();
    counters.add(toBatch(SOURCE, { produced: 7, delivered: 6, errors: 1 }));
    expect(counters.totals).toMatchObject({ received: 7, delivered: 6, errors: 1 });
  });

  it('given_totals_that_were_taken_should_leave_them_as_they_were', () => {
    const counters = new CounterTotals();
    const before = counters.totals;
    counters.add(toBatch(SINK, { consumed: 1 }));
    expect(before.received).toBe(0);
  });
});
