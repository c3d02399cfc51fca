import { expect, test } from '@jest/globals';
import { SeldomReport } from '../../../src/accounts/seldom-report.ts';

const HOUR_MS = 3_600_000;

test('A sentence is told once an hour, however often there is reason to', () => {
  let nowMs = 0;
  const told: string[] = [];
  const report = new SeldomReport(
    (message) => told.push(message),
    () => nowMs,
  );
  for (const message of ['a', 'a', 'b', 'a', 'b']) {
    report.tell(message);
  }
  expect(told).toEqual(['a', 'b']);
  nowMs = HOUR_MS - 1;
  report.tell('a');
  nowMs = HOUR_MS;
  report.tell('a');
  report.tell('a');
  expect(told).toEqual(['a', 'b', 'a']);
});

test('A thousand sentences are remembered', () => {
  const told: string[] = [];
  const report = new SeldomReport(
    (message) => told.push(message),
    () => 0,
  );
  for (let index = 0; index <= 1000; index += 1) {
    report.tell(`${index}`);
  }
  report.tell('1000');
  expect(told).toHaveLength(1001);
  report.tell('0');
  expect(told).toHaveLength(1002);
});
