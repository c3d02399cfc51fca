import { beforeEach, describe, expect, test } from '@jest/globals';
import { Directory } from '../../../src/accounts/directory.ts';

const ID = '6f9619ff-8b86-4d01-b42d-00cf4fc964ff';

/** An account as `pg` gives it. */
const ROW = {
  ...{ id: ID, name: 'alice', scope: 'write', is_disabled: false },
  ...{ rows_max: '7', bytes_max: null, query_timeout_ms: null, connections_max: null },
  ...{ backends: null, databases: ['shop'], revision: '3', secret_revision: '2' },
};

const TOKEN_ROW = {
  ...ROW,
  sha256: 'a'.repeat(64),
  token_id: '00000000-0000-4000-8000-000000000000',
  token_name: 'ci',
  token_scope: 'read',
  token_expires_ms: null,
};

let nowMs: number;
let rows: readonly unknown[];
let failure: Error | undefined;
let asked: (readonly unknown[])[];
let unreadable: string[];
let directory: Directory;

beforeEach(() => {
  nowMs = 0;
  rows = [ROW];
  failure = undefined;
  asked = [];
  unreadable = [];
  directory = new Directory(
    (_text, values) => {
      asked.push(values);
      return failure === undefined ? Promise.resolve(rows) : Promise.reject(failure);
    },
    () => nowMs,
    ({ message }) => unreadable.push(message),
  );
});

describe('An account in the directory', () => {
  test('is read as it is, and remembered for a second', async () => {
    const found = await directory.findAccount(ID);
    expect(found).toEqual({
      ...{ id: ID, name: 'alice', scope: 'write', isDisabled: false },
      limits: {
        rowsMax: 7,
        bytesMax: undefined,
        queryTimeoutMs: undefined,
        connectionsMax: undefined,
      },
      ...{ backends: undefined, databases: ['shop'], revision: 3, secretRevision: 2 },
    });
    nowMs = 1000;
    rows = [{ ...ROW, is_disabled: true }];
    expect(await directory.findAccount(ID)).toBe(found);
    expect(asked).toHaveLength(1);
    nowMs = 1001;
    expect(await directory.findAccount(ID)).toMatchObject({ isDisabled: true });
    expect(asked).toEqual([[[ID]], [[ID]]]);
  });

  test('is not remembered where there is none', async () => {
    rows = [];
    expect(await directory.findAccount(ID)).toBeUndefined();
    rows = [ROW];
    expect(await directory.findAccount(ID)).toMatchObject({ name: 'alice' });
    nowMs = 5000;
    rows = [];
    expect(await directory.findAccount(ID)).toBeUndefined();
    failure = new Error('away');
    await expect(directory.findAccount(ID)).rejects.toThrow('away');
  });

  test.each([
    [5000, true],
    [5001, false],
  ])('is good for %d ms while nobody can be asked: %s', async (ageMs, isGood) => {
    await directory.findAccount(ID);
    failure = new Error('away');
    nowMs = ageMs;
    const [outcome] = await Promise.allSettled([directory.findAccount(ID)]);
    expect(outcome.status === 'fulfilled').toBe(isGood);
  });

  test('is asked for anew where this process has changed it, by token as well', async () => {
    await directory.findAccount(ID);
    directory.forget('another');
    await directory.findAccount(ID);
    expect(asked).toHaveLength(1);
    directory.forget(ID);
    await directory.findAccount(ID);
    expect(asked).toHaveLength(2);
    rows = [TOKEN_ROW];
    await directory.findToken(TOKEN_ROW.sha256);
    await directory.findToken(TOKEN_ROW.sha256);
    expect(asked).toHaveLength(3);
    directory.forget(ID);
    await directory.findToken(TOKEN_ROW.sha256);
    expect(asked).toHaveLength(4);
  });

  test('is forgotten when there are ten thousand others', async () => {
    await directory.findAccount(ID);
    const ids = Array.from({ length: 9999 }, (_, index) =>
      ID.replace(/.{6}$/, String(index).padStart(6, '0')),
    );
    for (const id of ids) {
      rows = [{ ...ROW, id }];
      await directory.findAccount(id);
    }
    const before = asked.length;
    await directory.findAccount(ID);
    expect(asked).toHaveLength(before);
    rows = [{ ...ROW, id: ID.replace(/.{6}$/, '999999') }];
    await directory.findAccount(ID.replace(/.{6}$/, '999999'));
    rows = [ROW];
    await directory.findAccount(ID);
    expect(asked).toHaveLength(before + 2);
  });

  test.each([
    ['an unknown scope', { scope: 'root' }],
    ['an unknown backend', { backends: ['mysql'] }],
    ['a limit that is no number', { rows_max: 'many' }],
    ['no revision', { revision: null }],
  ])('is nobody, and told, with %s; others are who they are', async (_name, change) => {
    const [column = ''] = Object.keys(change);
    const other = ID.replace('6f', '7f');
    rows = [
      { ...ROW, ...change },
      { ...ROW, id: other, name: 'bob', verifier: verifierText() },
    ];
    const [found, bob] = await Promise.all([
      directory.findAccount(ID),
      directory.findAccount(other),
    ]);
    expect(found).toBeUndefined();
    expect(bob).toMatchObject({ name: 'bob' });
    expect(unreadable).toEqual([
      'Account "alice" cannot be read, and lets nobody in: this Gatepost does not understand ' +
        `${column} of its row in schema gatepost`,
    ]);
    // Told apart from one that is not there.
    const accounts = await directory.readAccounts([ID, other]);
    expect([...accounts.keys()]).toEqual([ID, other]);
    expect(accounts.get(ID)).toBeUndefined();

    rows = [{ ...TOKEN_ROW, ...change, sha256: 'b'.repeat(64) }, TOKEN_ROW];
    expect(await directory.findToken('b'.repeat(64))).toBeUndefined();
    expect(await directory.findToken(TOKEN_ROW.sha256)).toMatchObject({ name: 'ci' });

    rows = [
      { ...ROW, ...change, verifier: verifierText() },
      { ...ROW, name: 'bob', verifier: verifierText() },
    ];
    expect(await directory.findByName('alice')).toBeUndefined();
    expect(await directory.findByName('bob')).toMatchObject({ account: { name: 'bob' } });
  });
});

describe('A token in the directory', () => {
  const { sha256 } = TOKEN_ROW;

  test.each([
    [null, undefined],
    ['1893456000000', new Date('2030-01-01T00:00:00Z')],
  ])('that ends at %s says so', async (token_expires_ms, expiresAt) => {
    rows = [{ ...TOKEN_ROW, token_expires_ms }];
    expect(await directory.findToken(sha256)).toMatchObject({ name: 'ci', expiresAt });
  });

  test('that is not there is asked for once a second', async () => {
    rows = [];
    expect(await directory.findToken(sha256)).toBeUndefined();
    nowMs = 1000;
    expect(await directory.findToken(sha256)).toBeUndefined();
    expect(asked).toHaveLength(1);
    nowMs = 1001;
    rows = [TOKEN_ROW];
    expect(await directory.findToken(sha256)).toMatchObject({ name: 'ci' });
  });

  test('is asked for anew where this process has changed something', async () => {
    rows = [];
    await directory.findToken(sha256);
    directory.forget(ID);
    rows = [TOKEN_ROW];
    expect(await directory.findToken(sha256)).toBeDefined();
  });

  test('is forgotten not to be there when there are ten thousand others', async () => {
    rows = [];
    const hashes = Array.from({ length: 10_001 }, (_, index) => String(index).padStart(64, '0'));
    for (const hash of hashes) {
      await directory.findToken(hash);
    }
    const before = asked.length;
    await directory.findToken(hashes[1] ?? '');
    expect(asked).toHaveLength(before);
    await directory.findToken(hashes[0] ?? '');
    expect(asked).toHaveLength(before + 1);
  });

  test('that could not be asked for is not remembered as unknown', async () => {
    failure = new Error('away');
    await expect(directory.findToken(sha256)).rejects.toThrow('away');
    failure = undefined;
    rows = [TOKEN_ROW];
    expect(await directory.findToken(sha256)).toBeDefined();
  });
});

describe('A name in the directory', () => {
  test('is asked for each time', async () => {
    rows = [{ ...ROW, verifier: verifierText() }];
    expect(await directory.findByName('alice')).toMatchObject({ account: { name: 'alice' } });
    await directory.findByName('alice');
    expect(asked).toEqual([[['alice']], [['alice']]]);
  });

  test('whose verifier is broken is nobody', async () => {
    rows = [{ ...ROW, verifier: 'SCRAM-SHA-256$x' }];
    expect(await directory.findByName('alice')).toBeUndefined();
    expect(unreadable).toEqual([expect.stringContaining('understand verifier of its row')]);
  });
});

describe('Whether there is anybody', () => {
  test('is remembered for a second where there is nobody', async () => {
    rows = [];
    expect([await directory.hasAny(), await directory.hasAny()]).toEqual([false, false]);
    expect(asked).toHaveLength(1);
    rows = [{}];
    nowMs = 1001;
    expect(await directory.hasAny()).toBe(true);
  });

  test('is asked anew where this process has made somebody', async () => {
    rows = [];
    await directory.hasAny();
    rows = [{}];
    directory.forget(ID);
    expect(await directory.hasAny()).toBe(true);
  });

  test('is an error where nobody can be asked', async () => {
    failure = new Error('away');
    await expect(directory.hasAny()).rejects.toThrow('away');
  });
});

function verifierText(): string {
  const key = Buffer.alloc(32).toString('base64');
  return `SCRAM-SHA-256$4096:c2FsdA==$${key}:${key}`;
}
