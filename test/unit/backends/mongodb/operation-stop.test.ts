import { describe, expect, it } from '@jest/globals';
import { explainStop, mergeComment } from '../../../../src/backends/mongodb/operation-stop.ts';
import { ServiceError } from '../../../../src/errors.ts';

const DONE = 'The upstream had finished before it could be stopped, so that its effects stand';
const HALF_DONE = 'MongoDB does not undo: what was written before the stop stands';

const stop = (detail?: string): ServiceError =>
  new ServiceError('57014', 'stopped', {
    hint: 'what to do',
    ...(detail === undefined ? {} : { detail }),
  });

describe('The error of a stopped operation', () => {
  it.each([
    [{ update: 'c' }, false, HALF_DONE],
    [{ insert: 'c' }, true, DONE],
    [{ drop: 'c' }, true, DONE],
    [{ drop: 'c' }, false, undefined],
    [{ find: 'c' }, true, undefined],
    [{ aggregate: 'c' }, false, undefined],
  ])('of %j, done: %s, says what stands', (command, isDone, detail) => {
    expect(explainStop(stop(), { command, isDone })).toMatchObject({
      sqlState: '57014',
      message: 'stopped',
      hint: 'what to do',
      detail,
    });
  });

  it('keeps the detail that it had', () => {
    expect(explainStop(stop('First'), { command: { delete: 'c' }, isDone: false })).toMatchObject({
      detail: `First. ${HALF_DONE}`,
    });
  });

  it('is any other error as it is', () => {
    const error = new Error('else');
    expect(explainStop(error, { command: { update: 'c' }, isDone: true })).toBe(error);
  });
});

describe('The comment of an operation', () => {
  it('is ours, or both', () => {
    expect(mergeComment('tag', undefined)).toBe('tag');
    expect(mergeComment('tag', null)).toEqual({ gatepost: 'tag', comment: null });
    expect(mergeComment('tag', { a: 1 })).toEqual({ gatepost: 'tag', comment: { a: 1 } });
  });
});
