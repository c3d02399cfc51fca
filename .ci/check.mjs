// Every check of the project in the order of their cost; stops at the first that fails.
//
//   node .ci/check.mjs [--no-tests] [jest arguments…]
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import process from 'node:process';

process.chdir(path.resolve(import.meta.dirname, '..'));

const CACHE = path.join('node_modules', '.cache');
const JEST_RESULT = path.join(CACHE, 'jest-result.json');

/** Each tool by its own script, so that nothing depends on a shell or on PATH. */
const CHECKS = [
  [
    'format',
    'prettier/bin/prettier.cjs',
    cached('format.json', ['--check', '--log-level=warn', '.']),
  ],
  ['lint', 'eslint/bin/eslint.js', cached('lint.json', ['--max-warnings=0', '.'])],
  ['types', 'typescript/bin/tsc', ['-p', 'tsconfig.json', '--noEmit']],
  ['unused', 'knip/bin/knip.js', []],
];

const args = process.argv.slice(2);
mkdirSync(CACHE, { recursive: true });
for (const [name, script, scriptArgs] of CHECKS) {
  run(name, [path.join('node_modules', script), ...scriptArgs]);
}
if (!args.includes('--no-tests')) {
  test(args);
}

/** The caches go by content, not by time: a checkout touches every file. */
function cached(name, rest) {
  return ['--cache', '--cache-strategy=content', `--cache-location=${CACHE}/${name}`, ...rest];
}

function test(jestArgs) {
  rmSync(JEST_RESULT, { force: true });
  const jest = [path.join('node_modules', 'jest', 'bin', 'jest.js')];
  const status = runStatus('tests', [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    ...jest,
    '--json',
    `--outputFile=${JEST_RESULT}`,
    ...jestArgs,
  ]);
  process.stdout.write(`\n${summaryLine()}\n`);
  process.exitCode = status;
}

function summaryLine() {
  if (!existsSync(JEST_RESULT)) {
    return '0 passed, 1 failed, 0 skipped';
  }
  const result = JSON.parse(readFileSync(JEST_RESULT, 'utf8'));
  // A test file that does not even load has no tests to count, and is a failure all the same.
  const failed = result.numFailedTests + result.numRuntimeErrorTestSuites;
  const skipped = result.numPendingTests + result.numTodoTests;
  return `${result.numPassedTests} passed, ${failed} failed, ${skipped} skipped`;
}

function run(name, nodeArgs) {
  const status = runStatus(name, nodeArgs);
  if (status !== 0) {
    process.exit(status);
  }
}

function runStatus(name, nodeArgs) {
  const started = performance.now();
  // Jest prints its JSON on standard output although it also writes the file; its report goes to
  // standard error.
  const stdio = name === 'tests' ? ['inherit', 'ignore', 'inherit'] : 'inherit';
  const { status, signal } = spawnSync(process.execPath, nodeArgs, { stdio });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const outcome = status === 0 ? 'ok' : `FAILED${signal === null ? '' : ` (${signal})`}`;
  process.stdout.write(`${name.padEnd(8)} ${outcome.padEnd(8)} ${seconds} s\n`);
  return status ?? 1;
}
