import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { openAuditOutput } from '../../src/audit-file.ts';

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'gatepost-audit-file-'));
  file = path.join(folder, 'audit.jsonl');
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** Opens the file, writes the text and closes it. */
async function write(text: string): Promise<number> {
  const output = await openAuditOutput(file);
  const written = await output.write(Buffer.from(text));
  await output.close();
  return written;
}

describe('openAuditOutput', () => {
  test('makes a file that only its owner can read', async () => {
    await write('');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test('tells how many bytes were written', async () => {
    expect(await write('größe\n')).toBe(8);
  });

  test('appends to what is there and leaves its mode alone', async () => {
    await writeFile(file, 'old\n', { mode: 0o640 });
    await write('new\n');
    expect(await readFile(file, 'utf8')).toBe('old\nnew\n');
    expect((await stat(file)).mode & 0o777).toBe(0o640);
  });

  test('appends at the end of a file that was truncated meanwhile', async () => {
    const output = await openAuditOutput(file);
    await output.write(Buffer.from('rotated away\n'));
    await writeFile(file, '');
    await output.write(Buffer.from('next\n'));
    await output.close();
    expect(await readFile(file, 'utf8')).toBe('next\n');
  });

  test.each([
    ['nothing', '', false],
    ['a whole line', '{}\n', false],
    ['half a line', '{}\n{"ts":', true],
  ])('knows whether %s is there to end first', async (_name, text, isLineOpen) => {
    await writeFile(file, text);
    const output = await openAuditOutput(file);
    expect(output.isLineOpen).toBe(isLineOpen);
    await output.close();
  });

  test('opens a device', async () => {
    const output = await openAuditOutput('/dev/null');
    expect(output.isLineOpen).toBe(false);
    expect(await output.write(Buffer.from('x\n'))).toBe(2);
    await output.close();
  });

  test('rejects a write on a full disk with the code of the system', async () => {
    const output = await openAuditOutput('/dev/full');
    await expect(output.write(Buffer.from('x\n'))).rejects.toMatchObject({ code: 'ENOSPC' });
    await output.close();
  });

  test('refuses a named pipe, also behind a link, instead of waiting for its reader', async () => {
    const pipe = path.join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    await symlink(pipe, file);
    await expect(openAuditOutput(file)).rejects.toThrow(
      `AUDIT_FILE ${file} is a named pipe: name a file, or - for standard output`,
    );
  });

  test.each([
    ['a folder', '', 'EISDIR'],
    ['a file in no folder', 'missing/audit.jsonl', 'ENOENT'],
  ])('names the setting, the path and the reason when it is %s', async (_name, rest, code) => {
    const unusable = path.join(folder, rest);
    await expect(openAuditOutput(unusable)).rejects.toThrow(
      `Cannot open AUDIT_FILE ${unusable}: ${code}`,
    );
  });
});

describe('openAuditOutput of -', () => {
  /** Replaces standard output's own write by one that calls back with this. */
  function captureWrites(answer: Error | undefined): string[] {
    const texts: string[] = [];
    jest.spyOn(process.stdout, 'write').mockImplementation((bytes, ...rest) => {
      texts.push(Buffer.from(bytes).toString());
      const callback = rest.find((each) => typeof each === 'function');
      callback?.(answer);
      return true;
    });
    return texts;
  }

  afterEach(() => {
    jest.restoreAllMocks();
    process.stdout.removeAllListeners('error');
  });

  test('writes to standard output and leaves it open', async () => {
    const texts = captureWrites(undefined);
    const output = await openAuditOutput('-');
    expect(await output.write(Buffer.from('one\n'))).toBe(4);
    await output.close();
    expect(texts).toEqual(['one\n']);
    expect(process.stdout.writableEnded).toBe(false);
  });

  test('rejects the write when its reader has gone, and survives the event', async () => {
    const gone = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
    captureWrites(gone);
    const output = await openAuditOutput('-');
    await expect(output.write(Buffer.from('one\n'))).rejects.toBe(gone);
    expect(() => process.stdout.emit('error', gone)).not.toThrow();
  });
});
