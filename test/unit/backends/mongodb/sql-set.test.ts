import { describe, expect, test } from '@jest/globals';
import { createSqlStage } from '../../../support/sql-stage.ts';

describe('SET', () => {
  test.each([
    ["SET application_name = 'x y'", 'application_name', 'x y'],
    ['set application_name to word', 'application_name', 'word'],
    ['SET SESSION application_name TO "Quoted"', 'application_name', 'Quoted'],
    ['SET application_name = DEFAULT', 'application_name', 'psql'],
    ["SET client_encoding TO 'UTF8'", 'client_encoding', 'UTF8'],
    ["SET NAMES 'utf8'", 'client_encoding', 'UTF8'],
    ['SET NAMES', 'client_encoding', 'UTF8'],
    ['SET DateStyle = iso, dmy', 'DateStyle', 'ISO, DMY'],
    ["SET datestyle TO 'ISO'", 'DateStyle', 'ISO, MDY'],
    ['SET extra_float_digits = 3', 'extra_float_digits', '3'],
    ['SET extra_float_digits = -3', 'extra_float_digits', '-3'],
    ['SET TIME ZONE -8', 'TimeZone', '-8'],
    ["SET TIME ZONE 'Europe/Vienna'", 'TimeZone', 'Europe/Vienna'],
    ['SET TIME ZONE LOCAL', 'TimeZone', 'UTC'],
    ['SET TIME ZONE DEFAULT', 'TimeZone', 'UTC'],
    ['SET statement_timeout = 5000;', 'statement_timeout', '5s'],
    ["SET statement_timeout = '2min'", 'statement_timeout', '2min'],
    ['SET lock_timeout = 0', 'lock_timeout', '0'],
    ["SET gatepost.ejson = 'relaxed'", 'gatepost.ejson', 'relaxed'],
    ['SET gatepost.ejson TO canonical', 'gatepost.ejson', 'canonical'],
    ['SET search_path = "$user", public', 'search_path', '$user, public'],
    ['/* why */ SET bytea_output -- how\n = escape', 'bytea_output', 'escape'],
  ])('takes %s', async (text, name, value) => {
    const stage = createSqlStage();
    expect(await stage.answer(text)).toMatchObject({ commandTag: 'SET' });
    expect(stage.session.settings.entry(name).value).toBe(value);
    expect(stage.sent).toEqual([]);
  });

  test.each([
    ['SET no_such = 1', '42704'],
    ['SET LOCAL no_such = 1', '42704'],
    ["SET client_encoding = 'LATIN1'", '22023'],
    ["SET TIME ZONE 'Nowhere'", '22023'],
    ['SET extra_float_digits = 99', '22023'],
    ['SET gatepost.ejson = pretty', '22023'],
    ['SET server_version = 99', '55P02'],
    ['SET default_transaction_read_only = on', '55P02'],
    ['SET TRANSACTION READ ONLY', '0A000'],
    ['SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY', '0A000'],
    ['SET', '42601'],
    ['SET x', '42601'],
    ['SET application_name', '42601'],
    ['SET application_name =', '42601'],
    ['SET application_name = (1)', '42601'],
    ['SET application_name = a b', '42601'],
    ['SET application_name = DEFAULT x', '42601'],
    ['SET TIME ZONE LOCAL x', '42601'],
    ['SET ROLE bo', '42601'],
    ['SET SESSION AUTHORIZATION bo', '42601'],
    ['SET CONSTRAINTS ALL DEFERRED', '42601'],
    ['SET TRANSACTION SNAPSHOT x', '42601'],
  ])('refuses %s with %s', async (text, sqlState) => {
    const stage = createSqlStage();
    const before = stage.session.settings.entries;
    await expect(stage.answer(text)).rejects.toMatchObject({ name: 'ServiceError', sqlState });
    expect(stage.session.settings.entries).toEqual(before);
  });

  test('tells the new value of a reported setting, and of no other', async () => {
    const stage = createSqlStage();
    expect(await stage.answer("SET application_name = 'x'")).toMatchObject({
      parameters: [['application_name', 'x']],
    });
    expect(await stage.answer("SET application_name = 'x'")).not.toHaveProperty('parameters');
    expect(await stage.answer('SET statement_timeout = 1')).not.toHaveProperty('parameters');
  });

  test('takes modes of a transaction that change nothing', async () => {
    const stage = createSqlStage();
    expect(await stage.answer('SET TRANSACTION READ WRITE')).toEqual({
      commandTag: 'SET',
      notices: [],
    });
    const text = 'SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE';
    expect(await stage.answer(text)).toMatchObject({ notices: [{ sqlState: '01000' }] });
  });

  test('SET LOCAL lasts to the end of the transaction, which it tells', async () => {
    const stage = createSqlStage();
    await stage.answer('BEGIN');
    await stage.answer("SET LOCAL application_name = 'x'");
    expect(stage.session.settings.entry('application_name').value).toBe('x');
    expect(await stage.answer('COMMIT')).toMatchObject({
      parameters: [['application_name', 'psql']],
    });
  });

  test('SET LOCAL outside of a transaction does nothing but warn', async () => {
    const stage = createSqlStage();
    expect(await stage.answer("SET LOCAL application_name = 'x'")).toMatchObject({
      commandTag: 'SET',
      notices: [
        {
          severity: 'WARNING',
          sqlState: '25P01',
          message: 'SET LOCAL can only be used in transaction blocks',
        },
      ],
    });
    expect(stage.session.settings.entry('application_name').value).toBe('psql');
  });
});

describe('RESET and DISCARD', () => {
  test.each([
    ['RESET application_name', 'RESET'],
    ['RESET ALL', 'RESET'],
    ['DISCARD ALL', 'DISCARD ALL'],
  ])('%s goes back to the beginning', async (text, commandTag) => {
    const stage = createSqlStage();
    await stage.answer("SET application_name = 'x'");
    expect(await stage.answer(text)).toEqual({
      commandTag,
      parameters: [['application_name', 'psql']],
    });
  });

  test('RESET knows the names of several words', async () => {
    const stage = createSqlStage();
    await stage.answer('SET TIME ZONE 5');
    await stage.answer('RESET TIME ZONE');
    expect(stage.session.settings.entry('TimeZone').value).toBe('UTC');
  });

  test.each([
    ['RESET no_such', '42704'],
    ['RESET', '42601'],
    ['RESET ALL x', '42601'],
    ['RESET application_name x', '42601'],
    ['DISCARD PLANS', '42601'],
    ['DISCARD ALL x', '42601'],
  ])('refuses %s with %s', async (text, sqlState) => {
    await expect(createSqlStage().answer(text)).rejects.toMatchObject({ sqlState });
  });

  test('DISCARD ALL is refused inside of a transaction', async () => {
    const stage = createSqlStage();
    await stage.answer('BEGIN');
    await expect(stage.answer('DISCARD ALL')).rejects.toMatchObject({ sqlState: '25001' });
  });
});

describe('SHOW', () => {
  test.each([
    ['SHOW server_version', 'server_version', '12.0 (Gatepost, MongoDB 6.0.5)'],
    ['show server_version_num', 'server_version_num', '120000'],
    ['SHOW TimeZone', 'TimeZone', 'UTC'],
    ['SHOW TIME ZONE', 'TimeZone', 'UTC'],
    ['SHOW "DateStyle"', 'DateStyle', 'ISO, MDY'],
    ['SHOW TRANSACTION ISOLATION LEVEL', 'transaction_isolation', 'read committed'],
    ['SHOW SESSION AUTHORIZATION', 'session_authorization', 'ann'],
    ['SHOW transaction_read_only', 'transaction_read_only', 'off'],
    ['SHOW standard_conforming_strings', 'standard_conforming_strings', 'on'],
    ['SHOW gatepost.ejson;', 'gatepost.ejson', 'lossless'],
    ['SHOW max_identifier_length', 'max_identifier_length', '63'],
    ['SHOW search_path', 'search_path', '"$database"'],
  ])('%s', async (text, name, value) => {
    expect(await createSqlStage().answer(text)).toEqual({
      columns: [{ name, typeOid: 25 }],
      rows: [[value]],
      commandTag: 'SHOW',
    });
  });

  test('SHOW ALL lists every setting', async () => {
    const stage = createSqlStage();
    const answer = await stage.answer('SHOW ALL');
    expect(answer.columns?.map(({ name }) => name)).toEqual(['name', 'setting', 'description']);
    expect(answer.rows).toHaveLength(stage.session.settings.entries.length);
    expect(answer.commandTag).toBe('SHOW');
  });

  test.each([
    ['SHOW no_such', '42704'],
    ['SHOW', '42601'],
    ['SHOW ALL x', '42601'],
    ['SHOW TIME', '42704'],
    ['SHOW a b', '42601'],
    ['SHOW 1', '42601'],
  ])('refuses %s with %s', async (text, sqlState) => {
    await expect(createSqlStage().answer(text)).rejects.toMatchObject({ sqlState });
  });

  test('names what the shell shows when a name is unknown', async () => {
    await expect(createSqlStage().answer('SHOW dbss')).rejects.toMatchObject({
      message: 'unrecognized configuration parameter "dbss"',
      hint: expect.stringContaining('dbs, collections'),
    });
  });
});
