import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  AUDIT_COMMAND_TAGS_MAX,
  AUDIT_TEXT_BYTES_MAX,
  openAudit,
  toAuditLine,
} from '../../src/audit.ts';
import { createSession, createStatement, parseJsonLines } from '../support/observations.ts';
import type { AuditLoss } from '../../src/audit-writer.ts';
import type { StatementFinished } from '../../src/observation.ts';

const FINISHED_AT = new Date('2026-03-04T05:06:07.089Z');
const NO_DEADLINE = new AbortController().signal;

/** The fields of one line. */
function audit(changes: Partial<StatementFinished> = {}): Record<string, unknown> {
  const [fields] = parseJsonLines(`${toAuditLine(createStatement(changes), FINISHED_AT)}\n`);
  return fields ?? {};
}

function hashText(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

describe('toAuditLine', () => {
  test('says who ran what, when, and how it ended', () => {
    expect(audit({ session: createSession({ isEncrypted: true }) })).toEqual({
      ts: '2026-03-04T05:06:07.089Z',
      event: 'statement',
      session: '6f9619ff-8b86-4d01-b42d-00cf4fc964ff',
      listener: 'main',
      backend: 'postgres',
      user: 'alice',
      client_addr: '127.0.0.1',
      application_name: 'psql',
      database: 'shop',
      tls: true,
      protocol: 'simple',
      text: 'select 1',
      text_sha256: '822ae07d4783158bc1912bb623e5107cc9002d519e1143a9c200ed6ee18b6d0f',
      text_len: 8,
      command_tags: ['SELECT 1'],
      rows: 1,
      bytes: 12,
      duration_ms: 2,
      outcome: 'ok',
      sqlstate: null,
      truncated: false,
      limit: null,
    });
  });

  test('tells a request over HTTP from a session of a listener', () => {
    expect(audit({ session: createSession({ listener: 'http' }) })).toMatchObject({
      listener: 'http',
      protocol: 'rest',
    });
  });

  test('tells an error by its SQLSTATE and a cut by its limit', () => {
    expect(audit({ outcome: 'limited', sqlState: '54000', limit: 'bytes' })).toMatchObject({
      outcome: 'limited',
      sqlstate: '54000',
      truncated: true,
      limit: 'bytes',
    });
  });

  test('gives a duration to the microsecond', () => {
    expect(audit({ durationMs: 0.5763160000000198 })).toMatchObject({ duration_ms: 0.576 });
  });

  test.each([
    ['exactly the bound', 'x'.repeat(AUDIT_TEXT_BYTES_MAX), AUDIT_TEXT_BYTES_MAX],
    ['one byte more', 'x'.repeat(AUDIT_TEXT_BYTES_MAX + 1), AUDIT_TEXT_BYTES_MAX],
    ['a character of two bytes across it', `${'x'.repeat(4095)}éé`, 4095],
    ['a character of three bytes across it', `${'x'.repeat(4094)}価格`, 4094],
    ['a character of four bytes across it', `${'x'.repeat(4093)}🐘🐘`, 4093],
    ['a character of four bytes up to it', `${'x'.repeat(4092)}🐘🐘`, 4096],
    ['16 MiB of it', '価'.repeat(5_592_405), 4095],
  ])('cuts a text of %s at a character, with full length and hash', (_name, text, keptBytes) => {
    const fields = audit({ text });
    const kept = String(fields['text']);
    expect(Buffer.byteLength(kept)).toBe(keptBytes);
    expect(text.startsWith(kept)).toBe(true);
    expect(fields['text_len']).toBe(Buffer.byteLength(text));
    expect(fields['text_sha256']).toBe(hashText(text));
  });

  test('is one line, whatever the statement holds', () => {
    const text = "select '\n\r\u0000\u001b[2J\u009b2J\u2028\u202e'";
    const line = toAuditLine(createStatement({ text }), FINISHED_AT);
    expect(line).toMatch(/^[\u0020-\u007e]*$/);
    expect(JSON.parse(line)).toMatchObject({ text, text_sha256: hashText(text) });
  });

  test('bounds the names that a client chooses', () => {
    const long = 'n'.repeat(10_000);
    const session = createSession({ user: long, database: long, applicationName: long });
    expect(toAuditLine(createStatement({ session }), FINISHED_AT).length).toBeLessThan(2000);
  });

  test('shows the first command tags of many', () => {
    const commandTags = Array.from({ length: 10_000 }, (_, index) => `INSERT 0 ${index}`);
    const fields = audit({ commandTags });
    expect(fields['command_tags']).toEqual(commandTags.slice(0, AUDIT_COMMAND_TAGS_MAX));
  });

  test('cuts a command tag that no PostgreSQL sends', () => {
    expect(audit({ commandTags: ['T'.repeat(1000)] })['command_tags']).toEqual(['T'.repeat(64)]);
  });
});

describe('openAudit', () => {
  let folder: string;
  let file: string;
  let losses: AuditLoss[];

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'gatepost-audit-'));
    file = path.join(folder, 'audit.jsonl');
    losses = [];
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  function report(loss: AuditLoss): void {
    losses.push(loss);
  }

  test('writes one line per finished statement, in order, all of them by the end', async () => {
    const observer = await openAudit({ file, report });
    const texts = Array.from({ length: 2000 }, (_, index) => `select ${index}`);
    for (const text of texts) {
      observer.observe(createStatement({ text }));
    }
    await observer.close(NO_DEADLINE);
    const lines = parseJsonLines(await readFile(file, 'utf8'));
    expect(lines.map((line) => line['text'])).toEqual(texts);
    expect(losses).toEqual([]);
  });

  test('writes nothing for any other observation', async () => {
    const observer = await openAudit({ file, report });
    observer.observe({ kind: 'session-opened', session: createSession() });
    observer.observe({ kind: 'audit-lost', lines: 1, reason: 'ENOSPC' });
    observer.observe({ kind: 'fault', component: 'relay', error: new Error('x') });
    await observer.close(NO_DEADLINE);
    expect(await readFile(file, 'utf8')).toBe('');
  });

  test('stamps the time at which it was observed', async () => {
    const before = Date.now();
    const observer = await openAudit({ file, report });
    observer.observe(createStatement());
    const after = Date.now();
    await observer.close(NO_DEADLINE);
    const [line] = parseJsonLines(await readFile(file, 'utf8'));
    const at = Date.parse(String(line?.['ts']));
    expect(at).toBeGreaterThanOrEqual(before);
    expect(at).toBeLessThanOrEqual(after);
  });

  test('counts the lines that a full disk does not take, and throws nothing', async () => {
    const observer = await openAudit({ file: '/dev/full', report });
    for (let index = 0; index < 500; index += 1) {
      expect(() => observer.observe(createStatement())).not.toThrow();
    }
    await observer.close(NO_DEADLINE);
    expect(losses).toEqual([{ kind: 'audit-lost', lines: 500, reason: 'ENOSPC' }]);
  });

  test('rejects when the file cannot be opened', async () => {
    await expect(openAudit({ file: folder, report })).rejects.toThrow(/AUDIT_FILE .*EISDIR/);
  });
});
