import { describe, expect, it } from '@jest/globals';
import {
  BSON,
  MongoBulkWriteError,
  MongoInvalidArgumentError,
  MongoNetworkError,
  MongoServerError,
} from 'mongodb';
import { writtenDespite } from '../../../src/connectors/source-refusals.ts';

/** As the driver throws it for a write of which 3 were deleted and 2 marked. */
function bulkError(
  codes: readonly (readonly [number, number])[],
  isConfirmed = true,
): MongoBulkWriteError {
  const writeErrors = codes.map(([index, code]) => ({ index, code, errmsg: 'said' }));
  const concern = isConfirmed ? undefined : { code: 64 };
  const result = { deletedCount: 3, modifiedCount: 2, getWriteConcernError: () => concern };
  // Its types take a class that the driver keeps to itself.
  const error: unknown = Reflect.construct(MongoBulkWriteError, [
    { message: 'said', code: codes[0]?.[1], writeErrors },
    result,
  ]);
  if (!(error instanceof MongoBulkWriteError)) {
    throw new TypeError('The driver has another error');
  }
  return error;
}

describe('writtenDespite', () => {
  it.each([2, 28, 66, 121, 10_334, 11_000, 17_419])(
    'given_refusal_%d_of_one_document_should_name_it_and_nothing_else',
    (code) => {
      expect(writtenDespite(bulkError([[1, code]]), 8)).toEqual({
        count: 5,
        refused: new Map([[1, `MongoDB refuses it, said (code ${code})`]]),
        again: [],
      });
    },
  );

  it('given_refusals_among_failures_that_pass_should_write_only_those_again', () => {
    const error = bulkError([
      [0, 112],
      [1, 28],
      [4, 262],
      [5, 121],
    ]);
    const written = writtenDespite(error, 8);
    expect([...(written?.refused.keys() ?? [])]).toEqual([1, 5]);
    expect(written?.again).toEqual([[0, 4]]);
  });

  it('given_a_write_that_no_majority_has_should_write_all_but_the_refused_again', () => {
    expect(writtenDespite(bulkError([[1, 28]], false), 4)?.again).toEqual([[0, 2, 3]]);
  });

  it.each<readonly [string, unknown]>([
    ['failures_that_pass', bulkError([[0, 112]])],
    ['a_user_who_may_not', bulkError([[0, 13]])],
    [
      'a_user_who_may_not_beside_a_document',
      bulkError([
        [0, 28],
        [1, 13],
      ]),
    ],
    ['a_full_disk', bulkError([[0, 14_031]])],
    ['a_refused_command', new MongoServerError({ message: 'no', code: 13 })],
    ['a_lost_connection', new MongoNetworkError('closed')],
    ['a_bug', new TypeError('bug')],
  ])('given_%s_should_give_up_no_document', (_name, error) => {
    expect(writtenDespite(error, 2)).toBeUndefined();
  });

  it.each<readonly [string, unknown]>([
    ['a_document_too_deep', new MongoServerError({ message: 'too deep', code: 15 })],
    ['a_document_too_large', new MongoServerError({ message: 'too large', code: 10_334 })],
    ['a_document_that_the_driver_refuses', new MongoInvalidArgumentError('too large')],
    ['a_document_that_cannot_be_written', new BSON.BSONError('no')],
  ])('given_a_command_that_fails_by_%s_should_look_for_it_by_halves', (_name, error) => {
    expect(writtenDespite(error, 5)).toEqual({
      count: 0,
      refused: new Map(),
      again: [
        [0, 1, 2],
        [3, 4],
      ],
    });
    const alone = writtenDespite(error, 1);
    expect([...(alone?.refused.keys() ?? [])]).toEqual([0]);
    expect(alone?.again).toEqual([]);
  });
});
