// Statements that are stopped, and statements that are never run.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ServiceError } from '../../../src/errors.ts';
import type { LexicalSettings, SqlPolicy } from '../../../src/guardrails/sql-policy.ts';
import { readyForQuery } from '../../support/backend-frames.ts';
import { openStatementStage, plays, ready, untilStopped } from '../../support/statement-stage.ts';
import type { StatementStage } from '../../support/statement-stage.ts';
import { frontendFrame, queryFrame, reportFields, typesOf } from '../../support/wire-client.ts';

let stage: StatementStage;

beforeEach(async () => {
  stage = await openStatementStage();
});

afterEach(() => {
  stage.close();
});

describe('stop', () => {
  test('ends what runs, with the first reason', async () => {
    const runner = stage.createRunner();
    stage.answers.push(untilStopped);
    const run = runner.run(queryFrame('select 1'), 'I');
    runner.stop(new ServiceError('08006', 'Client closed the stage.connection'));
    runner.stop(new ServiceError('57P01', 'Later'), 'timeout');
    await run;
    expect(stage.finished().at(-1)).toMatchObject({ outcome: 'aborted', sqlState: '08006' });
  });

  test('does nothing where nothing runs, and stops no later statement', async () => {
    const runner = stage.createRunner();
    runner.stop(new ServiceError('08006', 'Too early'));
    stage.answers.push(untilStopped, plays(ready()), plays(ready()));
    const run = runner.run(queryFrame('select 1'), 'I');
    runner.stop(new ServiceError('57P01', 'In time'));
    await run;
    await runner.run(queryFrame('select 2'), 'I');
    await runner.run(queryFrame('select 3'), 'I');
    const [first, second, third] = stage.exchanges.map(({ signal }) => signal);
    expect([first?.aborted, second?.aborted]).toEqual([true, false]);
    // One signal serves until it is used, so that a statement costs no new one.
    expect(third).toBe(second);
  });

  test('counts every statement by a guard of its own', async () => {
    const runner = stage.createRunner();
    stage.answers.push(plays(ready()), plays(ready()));
    await runner.run(queryFrame('select 1'), 'I');
    await runner.run(queryFrame('select 2'), 'I');
    expect(stage.exchanges[0]?.guard).not.toBe(stage.exchanges[1]?.guard);
  });

  test('leaves a cancel that comes too late alone', async () => {
    expect(await stage.createRunner().cancel()).toBe('late');
    expect(stage.cancels).toBe(0);
  });
});

describe('a statement that is refused', () => {
  const refusal = new ServiceError('42501', 'DROP is on the deny list', { hint: 'Ask' });

  function createPolicy(answer: ServiceError | undefined): SqlPolicy & {
    readonly asked: (readonly [text: string, settings: LexicalSettings])[];
  } {
    const asked: (readonly [string, LexicalSettings])[] = [];
    return {
      asked,
      admit: (text, settings) => {
        asked.push([Buffer.from(text).toString(), settings]);
        return answer;
      },
    };
  }

  test('is answered, observed, and not run', async () => {
    const runner = stage.createRunner({ policy: createPolicy(refusal) });
    const query = queryFrame('drop table t');
    expect(await runner.run(query, 'T')).toBe('T');
    const received = await stage.far.untilReady();
    expect(typesOf(received)).toBe('EZ');
    expect(reportFields(received[0])).toMatchObject({ S: 'ERROR', C: '42501', H: 'Ask' });
    expect(received[1]?.bytes).toEqual(readyForQuery('T'));
    expect(stage.exchanges).toEqual([]);
    expect(stage.observations).toEqual([
      expect.objectContaining({
        text: 'drop table t',
        outcome: 'refused',
        sqlState: '42501',
        commandTags: [],
        receivedBytes: query.length,
        sentBytes: stage.connection.sentBytes,
      }),
    ]);
    expect([runner.statements, runner.rows]).toEqual([1, 0]);
  });

  test.each([
    [[], { clientEncoding: 'UTF8', standardConformingStrings: true }],
    [
      [['client_encoding', 'LATIN1']],
      { clientEncoding: 'LATIN1', standardConformingStrings: true },
    ],
    [
      [['standard_conforming_strings', 'off']],
      { clientEncoding: 'UTF8', standardConformingStrings: false },
    ],
    [
      [['standard_conforming_strings', 'on']],
      { clientEncoding: 'UTF8', standardConformingStrings: true },
    ],
  ] as const)('is judged by what the backend reported: %j', async (reported, settings) => {
    for (const [name, value] of reported) {
      stage.parameters.set(name, value);
    }
    const policy = createPolicy(undefined);
    stage.answers.push(plays(ready()));
    await stage.createRunner({ policy }).run(queryFrame('select 1'), 'I');
    expect(policy.asked).toEqual([['select 1', settings]]);
    expect(stage.exchanges).toHaveLength(1);
  });

  test.each([
    ['select 1', 'invalid string in message', 'select 1'],
    ['select 1\0; drop table t\0', 'invalid message format', 'select 1\0; drop table t'],
    ['', 'invalid string in message', ''],
  ])('is one that breaks the protocol: %j', async (body, message, text) => {
    const policy = createPolicy(undefined);
    expect(await stage.createRunner({ policy }).run(frontendFrame('Q', body), 'E')).toBe('E');
    const [error, ready_] = await stage.far.untilReady();
    expect(reportFields(error)).toMatchObject({ S: 'ERROR', C: '08P01', M: message });
    expect(ready_?.bytes).toEqual(readyForQuery('E'));
    expect(stage.finished().at(-1)).toMatchObject({ text, outcome: 'refused', sqlState: '08P01' });
    expect(policy.asked).toEqual([]);
  });

  test('says ReadyForQuery only where nothing else will', async () => {
    const runner = stage.createRunner();
    runner.refuse(refusal, { text: '', receivedBytes: 40, status: undefined });
    expect(stage.finished().at(-1)).toMatchObject({
      receivedBytes: 40,
      sentBytes: stage.connection.sentBytes,
    });
    stage.connection.write(readyForQuery());
    expect(typesOf(await stage.far.untilReady())).toBe('EZ');
  });

  test('is no reason to hide a fault of the policy', async () => {
    const policy: SqlPolicy = {
      admit: () => {
        throw new TypeError('bug');
      },
    };
    await expect(stage.createRunner({ policy }).run(queryFrame('select 1'), 'I')).rejects.toThrow(
      'bug',
    );
    expect(stage.exchanges).toEqual([]);
  });
});
