import { describe, expect, test } from '@jest/globals';
import { fanOut } from '../../src/observation.ts';
import { createRecorder } from '../support/observations.ts';
import type { Observation, Observer } from '../../src/observation.ts';

const STARTED: Observation = { kind: 'service-started', version: '1.2.3', durationMs: 5 };

function createThrower(error: unknown): Observer {
  return {
    observe() {
      throw error;
    },
  };
}

describe('fanOut', () => {
  test('hands each observation to every observer in order', () => {
    const [first, second] = [createRecorder(), createRecorder()];
    const fan = fanOut([first, second]);
    fan.observe(STARTED);
    fan.observe({ kind: 'service-stopped', durationMs: 1 });
    expect(first.observations.map(({ kind }) => kind)).toEqual([
      'service-started',
      'service-stopped',
    ]);
    expect(second.observations).toEqual(first.observations);
  });

  test.each(['first', 'last'] as const)(
    'an observer that throws does not hide an observation from the others: thrower %s',
    (place) => {
      const error = new Error('broken observer');
      const recorder = createRecorder();
      const thrower = createThrower(error);
      const fan = fanOut(place === 'first' ? [thrower, recorder] : [recorder, thrower]);
      expect(() => fan.observe(STARTED)).not.toThrow();
      expect(recorder.observations).toContainEqual(STARTED);
      expect(recorder.observations).toContainEqual({ kind: 'fault', component: 'observer', error });
      expect(recorder.observations).toHaveLength(2);
    },
  );

  test('observers that all throw reach nobody, the observed code included', () => {
    const fan = fanOut([createThrower(new Error('one')), createThrower(new Error('two'))]);
    expect(() => fan.observe(STARTED)).not.toThrow();
  });
});
