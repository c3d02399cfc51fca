import { describe, expect, it, test } from '@jest/globals';
import fc from 'fast-check';
import { performance } from 'node:perf_hooks';
import { createApiToken } from '../../../src/api-tokens.ts';
import { MASK, maskBeginning, maskSecrets } from '../../../src/store/masking.ts';

/** Stands for the secret in the texts below. */
const S = 'Zq9kTv7w';

const VERIFIER = 'SCRAM-SHA-256$4096:c2FsdHNhbHQ=$c3RvcmVkS2V5:c2VydmVyS2V5';

const SQL = [
  `CREATE ROLE a LOGIN PASSWORD '${S}' VALID UNTIL '2030-01-01'`,
  `create user a password'${S}'`,
  `ALTER USER a WITH ENCRYPTED PASSWORD E'${S}\\'${S}'`,
  `ALTER USER a WITH PASSWORD '${S}''${S}'`,
  `ALTER USER a WITH PASSWORD '''${S}'`,
  `ALTER USER a WITH PASSWORD '${S}\\'`,
  `ALTER USER a PASSWORD $$${S}$$`,
  `ALTER USER a PASSWORD $q$${S}$$${S}$q$`,
  `ALTER USER a PASSWORD U&'\\0061${S}' UESCAPE '!'`,
  `ALTER USER a PASSWORD /* why /* not */ */ '${S}'`,
  `ALTER USER a PASSWORD -- why not\n  '${S}'`,
  `ALTER USER a PASSWORD '${S}'\n  '${S}'`,
  `DO $$ BEGIN EXECUTE 'ALTER ROLE a PASSWORD ''${S}'''; END $$`,
  `DO $x$ BEGIN EXECUTE E'ALTER ROLE a PASSWORD \\'${S}\\''; END $x$`,
  `EXECUTE format('ALTER ROLE %I PASSWORD %L', 'a', password := '${S}')`,
  `CREATE USER MAPPING FOR a SERVER s OPTIONS (user 'u', password '${S}')`,
  `ALTER USER MAPPING FOR a SERVER s OPTIONS (SET password '${S}')`,
  `CREATE USER MAPPING FOR a SERVER s OPTIONS ("password" '${S}')`,
  `SELECT * FROM dblink('host=h user=u password=${S} dbname=d', 'select 1') AS t(a int)`,
  `SELECT dblink_connect('host=h password=''${S} ${S}'' user=u')`,
  `SELECT dblink_connect('host=h password=''${S}\\''${S}'' user=u')`,
  `SELECT dblink_connect('host=h password=a\\ ${S} user=u')`,
  `SELECT dblink_connect('host=h password = ${S} user=u')`,
  `CREATE SUBSCRIPTION s CONNECTION 'host=h password=${S}' PUBLICATION p`,
  `CREATE SUBSCRIPTION s CONNECTION 'postgresql://u:${S}@h:5432/d?sslmode=require' PUBLICATION p`,
  `UPDATE users SET password = crypt('${S}', gen_salt('bf')) WHERE id = 1`,
  `SELECT set_config('app.smtp_password', '${S}', false)`,
  `ALTER SYSTEM SET app.password TO '${S}'`,
  `SELECT * FROM users WHERE password LIKE '${S}%'`,
  `PASSWORD ''; CREATE USER b PASSWORD '${S}'`,
  `CREATE USER a PASSWORD 'x\\'; CREATE USER b PASSWORD '${S}'`,
  `-- password $$ and ' and "\nALTER ROLE a PASSWORD $$${S}$$`,
];

const MONGODB = [
  `db.createUser({ user: "a", pwd: "${S}", roles: ["readWrite"] })`,
  `db.createUser({ user: 'a', pwd: '${S}\\'${S}', roles: [] })`,
  `db.createUser({ user: 'a', "pwd" : \`${S}\`, roles: [] })`,
  `db.createUser({ user: 'a', pwd: "${S}" + '${S}', roles: [] })`,
  `db.updateUser("a", { pwd: "${S}" })`,
  `db.changeUserPassword("a", "${S}")`,
  `db.auth("a", "${S}")`,
  `db.auth ( { user: "a", pwd: "${S}" } )`,
  `db["auth"]("a", "${S}")`,
  `db.addUser("a", "${S}")`,
  `{"createUser":"a","pwd":"${S}","roles":[]}`,
  `{"updateUser": "a", "pwd": "x\\"${S}"}`,
  `db.runCommand({ saslStart: 1, mechanism: "PLAIN", payload: BinData(0, "${S}") })`,
  `db.users.insertOne({ name: "a", password: "${S}" })`,
  `db.users.find({ passwordHash: { $eq: "${S}" } })`,
  `db.logs.insertOne({ body: "{\\"password\\": \\"x\\\\\\"${S}\\"}" })`,
];

const URIS = ['postgres', 'postgresql', 'mongodb', 'mongodb+srv', 'amqp', 'http', 'https', 'redis']
  .map((scheme) => `select '${scheme}://user:${S}@host.example:5432/db?x=1'`)
  .concat([
    `mongodb://user:${S}@h1:27017,h2:27018/db`,
    `postgres://user:p@ss/${S}@h/db`,
    `postgres://user:12345${S}@h/db`,
    `https://${S}@github.example/repo.git`,
    `select 'postgres://u:it''s${S}@h/d'`,
    `postgres://user:two ${S}@h/db`,
    `postgres://h/db?user=u&password=${S}&x=1`,
  ]);

const OTHERS = [
  `Authorization: Bearer ${S}.x-y_z`,
  `curl -H 'authorization: bearer ${S}'`,
  `{"password": "${S}"}`,
  `{"user":{"Password" :\n "${S}"}}`,
  `PGPASSWORD=${S} psql`,
  `client_secret=${S}&x=1`,
  `{'api_key': '${S}', "access_token": "${S}"}`,
];

/** Forms whose value is put together, or stands elsewhere. */
const COMPOSED = [
  `DO $$ BEGIN EXECUTE format('ALTER ROLE a PASSWORD %L', '${S}'); END $$`,
  `DO $$ BEGIN EXECUTE 'ALTER ROLE b PASSWORD ' || quote_literal('${S}'); END $$`,
  `db.runCommand({ x: 1, "pw\\u0064": "${S}" })`,
  `db.users.insertOne({ 'p\\x77d': '${S}' })`,
  `db.users.insertOne({ "pass\\u0077ord": "${S}" })`,
  `ALTER ROLE a PASSWORD 'a' -- c\n '${S}'`,
  `db.users.insertOne({ pwd: new String("${S}") })`,
  `db.users.insertOne({ pwd: "a".concat("${S}") })`,
  `SELECT 1 FROM u WHERE password = ANY(ARRAY['${S}'])`,
  `SELECT 1 FROM u WHERE password = ANY (ARRAY['a', '${S}'])`,
  `SELECT 1 FROM u WHERE password=ANY (ARRAY['${S}'])`,
  `SELECT 1 FROM u WHERE password::text = '${S}'`,
  `SELECT 1 FROM u WHERE lower(password) = '${S}'`,
  `SELECT 1 FROM u WHERE password IS NOT DISTINCT FROM '${S}'`,
  `SELECT 1 FROM u WHERE hash = crypt('${S}', hash)`,
  `COPY t FROM PROGRAM 'curl -u bob:${S} http://h/'`,
];

const ALL = [...COMPOSED, ...SQL, ...MONGODB, ...URIS, ...OTHERS];

describe('maskSecrets', () => {
  test.each(ALL)('leaves nothing of the secret in %s', (text) => {
    const masked = maskSecrets(text);
    expect(masked).not.toContain(S);
    expect(masked).toContain(MASK);
  });

  test.each(ALL)('leaves nothing of it wherever the text ends: %s', (text) => {
    // Half a secret is one: here what is left of it is at least four letters of eight.
    const start = text.indexOf(S);
    for (let kept = 4; kept < S.length; kept += 1) {
      const cut = text.slice(0, start + kept);
      expect(maskBeginning(cut)).not.toContain(S.slice(0, 4));
    }
  });

  test.each([
    ['a verifier of SCRAM', `UPDATE pg_authid SET rolpassword = '${VERIFIER}'`, 'c3RvcmVkS2V5'],
    ['a lone verifier', VERIFIER, 'c3RvcmVkS2V5'],
    ['a hash of MD5', `select 'md5${'0123456789abcdef'.repeat(2)}'`, '0123456789abcdef'],
  ])('masks %s', (_name, text, secret) => {
    expect(maskSecrets(text)).not.toContain(secret);
  });

  it('masks tokens of its own, and half of one at the end of a text', () => {
    const { token } = createApiToken();
    expect(maskSecrets(`select '${token}' as t`)).toBe(`select '${MASK}' as t`);
    expect(maskSecrets(`select '${token.slice(0, 20)}`)).toBe(`select '${MASK}`);
  });

  test.each([
    ['CREATE ROLE a PASSWORD ***', `CREATE ROLE a PASSWORD '${S}'`],
    ["OPTIONS (user 'u', password ***)", `OPTIONS (user 'u', password '${S}')`],
    ["'host=h password=*** user=u'", `'host=h password=${S} user=u'`],
    ['postgres://u:***@h:5432/d', `postgres://u:${S}@h:5432/d`],
    ['{ user: "a", pwd: ***, roles: [] }', `{ user: "a", pwd: "${S}", roles: [] }`],
    ['{"password": ***, "x": 1}', `{"password": "${S}", "x": 1}`],
  ])('leaves the rest as it is: %s', (masked, text) => {
    expect(maskSecrets(text)).toBe(masked);
  });

  test.each([
    'select id, name from people where age >= 18 order by id',
    'select password from users where id = 3',
    'http://localhost:3000/docs and http://[::1]:3000/',
    'mongodb://h1:27017,h2:27018/db?replicaSet=rs0',
    'select gp_segment_id, md5(name) from people',
    'db.people.find({ age: { $gte: 18 } }).sort({ _id: 1 })',
    '',
  ])('changes nothing where there is no secret: %s', (text) => {
    expect(maskSecrets(text)).toBe(text);
    expect(maskBeginning(`${text} `)).toBe(`${text} `);
  });

  it('is the same when it is done again', () => {
    for (const text of ALL) {
      const masked = maskSecrets(text);
      expect(maskSecrets(masked)).not.toContain(S);
    }
  });
});

describe('maskSecrets on texts that are made to confuse it', () => {
  /** What opens, closes, escapes or announces something. */
  const fragment = fc.constantFrom(
    ...["'", "''", "'''", '"', '`', '\\', "\\'", '$$', '$a$', '--', '/*', '*/', '\n', ' '],
    ...['password ', "password '", 'password="', 'pwd:', 'password $$', 'secret', '://', 'a://b:c'],
    ...['@', 'bearer ', 'gp_', 'md5', 'SCRAM-SHA-256$', '(', ')', ',', '=', ';', 'x', 'select 1'],
  );
  /** Where a secret stands in a statement of its own, whatever is before it. */
  const statement = fc.constantFrom(
    `\nALTER ROLE a PASSWORD '${S}'`,
    `\nALTER ROLE a PASSWORD $$${S}$$`,
    `\n{"createUser":"a","pwd":"${S}"}`,
    `\ndb.createUser({ pwd: "${S}" })`,
    `\nselect 'host=h password=${S} user=u'`,
    `\nselect 'postgres://user:${S}@h/d'`,
    `\ndb.auth("a", "${S}")`,
  );

  it('never shows the secret', () => {
    fc.assert(
      fc.property(
        fc.array(fragment, { maxLength: 12 }),
        statement,
        fc.array(fragment, { maxLength: 12 }),
        (before, secret, behind) => {
          const text = [...before, secret, ...behind].join('');
          expect(maskSecrets(text)).not.toContain(S);
        },
      ),
      { numRuns: 5000 },
    );
  });

  it('takes any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(typeof maskSecrets(text)).toBe('string');
      }),
    );
  });
});

describe('the time that masking takes', () => {
  /** A machine with other work still does this; what is quadratic would take minutes. */
  const TIME_MS_MAX = 15_000;

  function timeOf(text: string): number {
    const startedAtMs = performance.now();
    maskSecrets(text);
    return performance.now() - startedAtMs;
  }

  test.each([
    ...['password', '"password" ', 'password=', "password '", "password ''", "password ''''"],
    ...['password $a$', 'password $a1$ password $b$ ', "password \\'", "password '\\", '\\', ' '],
    ...['password /*', 'password --', 'password \n', '://', 'a://b:c@', '://:', '://@', 'gp_a-'],
    ...['SCRAM-SHA-256$', 'bearer ', 'md5a', 'auth ', 'password"\'', 'token:"x" ', "password=('"],
    ...['x', "password=''''''''", 'a:b@c ', "password e'a''b\\'' ", "password in ('a','b',"],
  ])('is linear on a MiB of %j', (unit) => {
    expect(timeOf(unit.repeat(1024 ** 2 / unit.length))).toBeLessThan(TIME_MS_MAX);
  });

  test.each(['password', "password='\\", 'a://b:c@'])('is linear on 16 MiB of %j', (unit) => {
    expect(timeOf(unit.repeat((16 * 1024 ** 2) / unit.length))).toBeLessThan(TIME_MS_MAX);
  });

  it('is linear on dollar quotes within each other', () => {
    const tags = Array.from({ length: 100_000 }, (_, index) => `$t${index}$`);
    const text = [...tags.map((tag) => `password ${tag}`), ...tags.toReversed()].join(' ');
    expect(timeOf(text)).toBeLessThan(TIME_MS_MAX);
  });
});
