// Brings a checkout to where it can run: dependencies as the lock file has them, and a build of the
// current sources. Each step leaves a stamp with a hash of what it read and is skipped while the
// hash holds. Plain Node without dependencies, because it runs before there are any.
//
//   node .ci/setup.mjs [--install-only | --build-only]
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

// Not import.meta.dirname: a Node too old for it must get as far as the sentence that says so.
const ROOT = path.resolve(fileURLToPath(import.meta.url), '../..');
const INSTALL_STAMP = path.join(ROOT, 'node_modules', '.gatepost-install');
const BUILD_STAMP = path.join(ROOT, 'dist', '.gatepost-build');
const SOURCE_FOLDERS = ['src', 'wire', 'routes'];

const [mode] = process.argv.slice(2);
process.chdir(ROOT);
checkNodeVersion();
if (mode !== '--build-only') {
  install();
}
if (mode !== '--install-only') {
  build();
}

function checkNodeVersion() {
  const { engines } = JSON.parse(readFileSync('package.json', 'utf8'));
  const [major = 0, minor = 0] = engines.node.replace('>=', '').split('.').map(Number);
  const [ownMajor = 0, ownMinor = 0] = process.versions.node.split('.').map(Number);
  if (ownMajor < major || (ownMajor === major && ownMinor < minor)) {
    fail(`Node ${engines.node} is needed, this is ${process.versions.node}: install a newer one`);
  }
}

function install() {
  const hash = hashFiles(['package-lock.json'], process.platform, process.arch);
  if (stampOf(INSTALL_STAMP) === hash) {
    return;
  }
  step('Installing dependencies from package-lock.json', 'npm', ['ci', '--no-audit', '--no-fund']);
  stamp(INSTALL_STAMP, hash);
}

function build() {
  const sources = SOURCE_FOLDERS.filter((folder) => existsSync(folder)).flatMap(filesBelow);
  const settings = ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];
  const hash = hashFiles([...settings, ...sources]);
  if (stampOf(BUILD_STAMP) === hash) {
    return;
  }
  // A module that was renamed or deleted must not live on in the build.
  rmSync('dist', { recursive: true, force: true });
  const compiler = path.join('node_modules', 'typescript', 'bin', 'tsc');
  step('Building', process.execPath, [compiler, '-p', 'tsconfig.build.json']);
  stamp(BUILD_STAMP, hash);
}

function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}

function hashFiles(files, ...facts) {
  const hash = createHash('sha256').update(facts.join('\0'));
  for (const file of files) {
    hash.update(`\0${file}\0`).update(readFileSync(file));
  }
  return hash.digest('hex');
}

function stampOf(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

function stamp(file, hash) {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, hash);
}

function step(title, command, args) {
  const started = performance.now();
  process.stderr.write(`${title} …\n`);
  // On Windows npm is a .cmd file, which only a shell starts.
  const isShellNeeded = process.platform === 'win32' && command === 'npm';
  const { status, signal, error } = spawnSync(command, args, {
    // Standard output belongs to the command that follows.
    stdio: ['ignore', 2, 2],
    shell: isShellNeeded,
  });
  if (status !== 0) {
    const reason =
      error?.message ?? (signal === null ? `exit status ${status}` : `signal ${signal}`);
    fail(`${title} failed (${[path.basename(command), ...args].join(' ')}: ${reason})`);
  }
  process.stderr.write(`${title}: ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
}

function fail(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}
