import { beforeEach, describe, expect, test } from '@jest/globals';
import { ReportedParameters } from '../../../../src/backends/postgres/reported-parameters.ts';
import { parameterStatus, readyForQuery } from '../../../support/backend-frames.ts';

let parameters: ReportedParameters;

beforeEach(() => {
  parameters = new ReportedParameters();
});

describe('ReportedParameters', () => {
  test('keeps the last value of each name, in the order in which they came', () => {
    parameters.set('server_version', '16.14');
    parameters.set('TimeZone', 'UTC');
    parameters.set('server_version', '17.1');
    expect([...parameters.values]).toEqual([
      ['server_version', '17.1'],
      ['TimeZone', 'UTC'],
    ]);
  });

  test('keeps what a frame says, wherever it lies in the chunk', () => {
    const before = readyForQuery();
    const frame = parameterStatus('TimeZone', 'Europe/Berlin');
    const chunk = Buffer.concat([before, frame, parameterStatus('next', 'one')]);
    parameters.note(chunk, before.length, frame.length);
    expect([...parameters.values]).toEqual([['TimeZone', 'Europe/Berlin']]);
  });

  test('keeps a hundred names, and changes of those', () => {
    for (let index = 0; index < 150; index += 1) {
      parameters.set(`name ${index}`, 'first');
    }
    parameters.set('name 99', 'second');
    parameters.set('name 100', 'second');
    expect(parameters.values.size).toBe(100);
    expect(parameters.values.get('name 99')).toBe('second');
    expect(parameters.values.has('name 100')).toBe(false);
  });
});
