// Tests that need a real Iggy.
import { describe } from '@jest/globals';
import { IGGY_MISSING } from './start-iggy.ts';

/** Tests that need an Iggy; where there is none they are skipped, and their title says why. */
export function describeIggy(name: string, tests: () => void): void {
  const isThere = ['IGGY_SERVER', 'TEST_IGGY_URL'].some((key) => (process.env[key] ?? '') !== '');
  if (isThere) {
    describe(name, tests);
    return;
  }
  describe.skip(`${name} (skipped, there is no Iggy: ${IGGY_MISSING})`, tests);
}
