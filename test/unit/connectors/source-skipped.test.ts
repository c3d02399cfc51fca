import { describe, expect, it } from '@jest/globals';
import { SkippedDocuments } from '../../../src/connectors/source-skipped.ts';
import { createLog } from '../../support/mongodb-source.ts';

const ONE = { id: '"a"', sha256: 'ab'.repeat(32) };
const OTHER_VERSION = { id: '"a"', sha256: 'cd'.repeat(32) };

describe('SkippedDocuments', () => {
  it('given_a_version_again_should_tell_it_once', () => {
    const log = createLog();
    const skipped = new SkippedDocuments('shop.orders', log);
    expect(skipped.skip(ONE, 'it is odd')).toBe(true);
    expect(skipped.skip(ONE, 'it is odd')).toBe(false);
    expect(skipped.skip(OTHER_VERSION, 'it is odd')).toBe(true);
    expect(log.warnings).toHaveLength(2);
    expect(log.warnings[0]).toBe('Skipped the document with _id "a" of shop.orders: it is odd');
    expect(skipped.hasGivenUp).toBe(false);
  });

  it('given_one_that_was_sent_should_know_its_version_and_tell_no_more_of_it', () => {
    const log = createLog();
    const skipped = new SkippedDocuments('shop.orders', log);
    skipped.giveUp(ONE, 'it is odd');
    expect(skipped.hasGivenUp).toBe(true);
    expect(skipped.isGivenUp(ONE.sha256)).toBe(true);
    expect(skipped.isGivenUp(OTHER_VERSION.sha256)).toBe(false);
    expect(skipped.skip(ONE, 'it is odd')).toBe(false);
    expect(log.warnings).toEqual([
      'Skipped the document with _id "a" of shop.orders, which was sent and stays: it is odd',
    ]);
  });

  it('given_a_long_id_should_cut_it', () => {
    const log = createLog();
    new SkippedDocuments('shop.orders', log).skip({ ...ONE, id: 'x'.repeat(5000) }, 'it is odd');
    expect(log.warnings[0]?.length).toBeLessThan(300);
  });
});
