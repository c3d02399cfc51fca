import { describe, expect, test } from '@jest/globals';
import type { Setting } from '../../../../src/backends/backend.ts';
import { createSessionSettings } from '../../../../src/backends/mongodb/sql-settings.ts';
import type { SessionStart } from '../../../../src/backends/mongodb/sql-settings.ts';
import { SESSION_START } from '../../../support/sql-stage.ts';

function start(settings: readonly Setting[] = [], rest: Partial<SessionStart> = {}) {
  return createSessionSettings({ ...SESSION_START, ...rest, settings });
}

describe('createSessionSettings', () => {
  test('reports what a PostgreSQL 12 reports', () => {
    expect(start().settings.reported).toEqual([
      ['application_name', 'psql'],
      ['client_encoding', 'UTF8'],
      ['DateStyle', 'ISO, MDY'],
      ['integer_datetimes', 'on'],
      ['IntervalStyle', 'postgres'],
      ['is_superuser', 'off'],
      ['server_encoding', 'UTF8'],
      ['server_version', '12.0 (Gatepost, MongoDB 6.0.5)'],
      ['session_authorization', 'ann'],
      ['standard_conforming_strings', 'on'],
      ['TimeZone', 'UTC'],
    ]);
  });

  test('takes the settings of the start-up packet, the last of a name', () => {
    const { settings, notices } = start([
      ['gatepost.ejson', 'canonical'],
      ['statement_timeout', '5s'],
      ['client_encoding', 'unicode'],
      ['gatepost.ejson', 'relaxed'],
    ]);
    expect(notices).toEqual([]);
    expect(settings.ejsonMode).toBe('relaxed');
    expect(settings.statementTimeoutMs).toBe(5000);
    expect(settings.entry('client_encoding').value).toBe('UTF8');
  });

  test('has defaults where nothing is said', () => {
    const { settings } = start();
    expect(settings.ejsonMode).toBe('lossless');
    expect(settings.statementTimeoutMs).toBe(0);
  });

  test.each<[string, string, string]>([
    ['client_encoding', 'LATIN1', 'invalid value for parameter "client_encoding": "LATIN1"'],
    ['gatepost.ejson', 'x', 'invalid value for parameter "gatepost.ejson": "x"'],
    ['no_such', '1', 'unrecognized configuration parameter "no_such"'],
    ['server_version', '16.0', 'parameter "server_version" cannot be changed'],
    ['default_transaction_read_only', 'on', 'parameter "default_transaction_read_only" cannot be'],
  ])('leaves %s as it is with a warning when it is %s', (name, value, message) => {
    const { settings, notices } = start([[name, value]]);
    expect(notices).toEqual([
      expect.objectContaining({
        severity: 'WARNING',
        sqlState: '01000',
        message: expect.stringContaining(message),
      }),
    ]);
    expect(settings.reported).toEqual(start().settings.reported);
  });

  test('warns of a few settings only, however many are wrong', () => {
    const many = Array.from({ length: 500 }, (_, index) => [`x${index}`, '1'] as const);
    expect(start(many).notices).toHaveLength(20);
  });

  test('shows an application name as PostgreSQL does', () => {
    const name = `Zoë\n${'x'.repeat(100)}`;
    const value = start([], { applicationName: name }).settings.entry('application_name').value;
    expect(value).toBe(`Zo??${'x'.repeat(59)}`);
  });

  test('says whether the listener is read-only', () => {
    const { settings } = start([], { isReadOnly: true });
    expect(settings.entry('transaction_read_only').value).toBe('on');
    expect(settings.entry('default_transaction_read_only').value).toBe('on');
    expect(() => settings.set('default_transaction_read_only', 'off')).toThrow(
      expect.objectContaining({ sqlState: '55P02' }),
    );
  });
});

describe('SessionSettings', () => {
  test('finds a name in any case and keeps its spelling', () => {
    const { settings } = start();
    settings.set('TIMEZONE', 'Europe/Vienna');
    expect(settings.entry('timezone')).toMatchObject({ name: 'TimeZone', value: 'Europe/Vienna' });
  });

  test('lists all, sorted by name, with a description each', () => {
    const names = start().settings.entries.map(({ name }) => name.toLowerCase());
    expect(names).toEqual(names.toSorted());
    expect(names).toHaveLength(new Set(names).size);
    expect(start().settings.entries.every(({ description }) => description !== '')).toBe(true);
  });

  test.each([
    ['no_such', '42704'],
    ['__proto__', '42704'],
    ['constructor', '42704'],
  ])('knows no %s', (name, sqlState) => {
    const { settings } = start();
    expect(() => settings.entry(name)).toThrow(expect.objectContaining({ sqlState }));
    expect(() => settings.set(name, '1')).toThrow(expect.objectContaining({ sqlState }));
    expect(() => settings.reset(name)).toThrow(expect.objectContaining({ sqlState }));
  });

  test.each([
    ['gatepost.ejson', 'pretty', '22023', 'relaxed, canonical or lossless'],
    ['client_encoding', 'latin1', '22023', 'UTF8'],
    ['statement_timeout', 'soon', '22023', undefined],
    ['lock_timeout', '5s', '55P02', undefined],
    ['transaction_read_only', 'on', '55P02', 'access'],
    ['standard_conforming_strings', 'off', '55P02', undefined],
  ])('does not set %s to %s', (name, value, sqlState, hint) => {
    const { settings } = start();
    const before = settings.entry(name).value;
    expect(() => settings.set(name, value)).toThrow(
      expect.objectContaining({
        sqlState,
        hint: hint === undefined ? undefined : expect.stringContaining(hint),
      }),
    );
    expect(settings.entry(name).value).toBe(before);
  });

  test.each([
    ['lock_timeout', '0'],
    ['standard_conforming_strings', 'ON'],
    ['server_encoding', 'utf8'],
    ['transaction_read_only', 'false'],
    ['transaction_isolation', 'READ COMMITTED'],
  ])('may be told that %s is %s, which it is', (name, value) => {
    const { settings } = start();
    const before = settings.entry(name).value;
    settings.set(name, value);
    expect(settings.entry(name).value).toBe(before);
  });

  test('goes back to the start-up packet, not to the default', () => {
    const { settings } = start([['gatepost.ejson', 'canonical']]);
    settings.set('gatepost.ejson', 'relaxed');
    settings.reset('gatepost.ejson');
    expect(settings.ejsonMode).toBe('canonical');
    settings.set('gatepost.ejson', 'relaxed');
    settings.set('TimeZone', '-8');
    settings.resetAll();
    expect(settings.ejsonMode).toBe('canonical');
    expect(settings.entry('TimeZone').value).toBe('UTC');
  });

  test.each([
    ['commit', 'session', 'relaxed'],
    ['commit', 'local', 'canonical'],
    ['rollback', 'session', 'canonical'],
    ['rollback', 'local', 'canonical'],
  ] as const)('after %s has of a setting of the %s what PostgreSQL has', (end, scope, mode) => {
    const { settings } = start();
    settings.set('gatepost.ejson', 'canonical');
    settings.begin();
    settings.set('gatepost.ejson', 'relaxed', scope);
    expect(settings.ejsonMode).toBe('relaxed');
    settings[end]();
    expect(settings.ejsonMode).toBe(mode);
  });

  test('keeps what was set for the session after it was set for the transaction', () => {
    const { settings } = start();
    settings.begin();
    settings.set('gatepost.ejson', 'relaxed', 'local');
    settings.set('gatepost.ejson', 'canonical');
    settings.commit();
    expect(settings.ejsonMode).toBe('canonical');
  });

  test('keeps everything at an end without a beginning', () => {
    const { settings } = start();
    settings.set('gatepost.ejson', 'relaxed');
    settings.rollback();
    settings.commit();
    expect(settings.ejsonMode).toBe('relaxed');
  });
});
