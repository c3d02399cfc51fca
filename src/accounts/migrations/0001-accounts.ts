import type { MigrationBuilder } from 'node-pg-migrate';

/** What JavaScript counts exactly. */
const WHOLE_MAX = Number.MAX_SAFE_INTEGER;

/** Bytewise: the same on every server, whatever its locale and its version of the C library. */
const NAME_COLUMNS = `
  name text COLLATE "C" NOT NULL CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$'),
  name_folded text COLLATE "C" NOT NULL UNIQUE CHECK (name_folded = lower(name))
`;

const SCOPE_COLUMN = `scope text NOT NULL CHECK (scope IN ('read', 'write', 'admin'))`;

/** A column that narrows something, or does not. */
function limitColumn(name: string): string {
  return `${name} bigint CHECK (${name} BETWEEN 1 AND ${WHOLE_MAX})`;
}

/** A list of what is allowed; NULL is all, and none at all has no meaning. */
function listColumn(name: string): string {
  return `${name} text[]
    CHECK (cardinality(${name}) > 0 AND array_position(${name}, NULL) IS NULL)`;
}

const ACCOUNTS = `
  CREATE TABLE gatepost.accounts (
    id uuid PRIMARY KEY,
    ${NAME_COLUMNS},
    verifier text NOT NULL CHECK (verifier ~ '^SCRAM-SHA-256[$]'),
    ${SCOPE_COLUMN},
    is_disabled boolean NOT NULL DEFAULT false,
    ${['rows_max', 'bytes_max', 'query_timeout_ms', 'connections_max'].map(limitColumn).join(',')},
    ${['backends', 'databases'].map(listColumn).join(',')},
    revision bigint NOT NULL DEFAULT 1 CHECK (revision > 0),
    secret_revision bigint NOT NULL DEFAULT 1 CHECK (secret_revision > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz
  )
`;

const TOKENS = `
  CREATE TABLE gatepost.api_tokens (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES gatepost.accounts (id) ON DELETE CASCADE,
    name text NOT NULL,
    sha256 char(64) COLLATE "C" NOT NULL UNIQUE CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    prefix text NOT NULL,
    ${SCOPE_COLUMN},
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    last_used_at timestamptz
  )
`;

/** Keys of ours that every replica needs to be the same. */
const SECRETS = `
  CREATE TABLE gatepost.secrets (
    name text PRIMARY KEY,
    value text NOT NULL
  )
`;

/** pg_stats shows values of columns to whoever may ask the catalog: of these it is to have none. */
const NO_STATISTICS = `
  ALTER TABLE gatepost.accounts ALTER COLUMN verifier SET STATISTICS 0;
  ALTER TABLE gatepost.api_tokens ALTER COLUMN sha256 SET STATISTICS 0;
  ALTER TABLE gatepost.secrets ALTER COLUMN value SET STATISTICS 0
`;

/**
 * Whoever has made the schema may have default privileges that open each of his new tables to
 * others: nobody reads verifiers because of that.
 */
const NOBODY_ELSE = `
  DO $$
  DECLARE
    one record;
  BEGIN
    FOR one IN
      SELECT DISTINCT c.oid::regclass AS relation,
          CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind,
          CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END AS grantee
        FROM pg_catalog.pg_class c, LATERAL aclexplode(c.relacl) a
        WHERE c.relnamespace = 'gatepost'::regnamespace
          AND c.relkind IN ('r', 'S') AND a.grantee <> c.relowner
    LOOP
      EXECUTE format('REVOKE ALL ON %s %s FROM %s', one.kind, one.relation, one.grantee);
    END LOOP;
  END
  $$
`;

/** Accounts, their tokens, and the keys that all replicas share. */
export function up(pgm: MigrationBuilder): void {
  pgm.sql(ACCOUNTS);
  pgm.sql(TOKENS);
  pgm.sql('CREATE INDEX api_tokens_account_id ON gatepost.api_tokens (account_id)');
  pgm.sql(SECRETS);
  pgm.sql(NO_STATISTICS);
  pgm.sql('REVOKE ALL ON SCHEMA gatepost FROM PUBLIC');
  pgm.sql('REVOKE ALL ON ALL TABLES IN SCHEMA gatepost FROM PUBLIC');
  pgm.sql('REVOKE ALL ON ALL SEQUENCES IN SCHEMA gatepost FROM PUBLIC');
  pgm.sql(NOBODY_ELSE);
}

/** Forward only: what was made is not unmade. */
export const down = false;
