// A database that must not change, whatever is tried on it, and how it is told whether it did.
import pg from 'pg';
import { createTestDatabase } from './databases.ts';
import type { TestDatabase } from './databases.ts';

/** Everything that a statement of the corpus could change. */
const STATE = `
  select (select array_agg(id order by id)::text from canary) as canary,
    (select last_value from canary_seq) as sequence,
    (select count(*) from pg_class where relnamespace not in (11, 99)) as relations,
    (select count(*) from pg_proc) as functions,
    (select count(*) from pg_largeobject_metadata) as objects,
    (select count(*) from pg_description where objoid = 'canary'::regclass) as comments,
    (select relacl::text from pg_class where oid = 'canary'::regclass) as grants,
    (select count(*) from pg_extension) as extensions,
    (select count(*) from pg_prepared_xacts where gid = 'canary') as prepared,
    (select count(*) from pg_replication_slots where slot_name = 'canary') as slots,
    (select count(*) from pg_db_role_setting) as settings,
    (select count(*) from pg_locks l join pg_database d on d.oid = l.database
      where l.locktype = 'advisory' and d.datname = current_database()) as locks`;

const OBJECTS = `
  create table canary (id int primary key);
  insert into canary values (1), (2);
  create sequence canary_seq;
  create materialized view canary_view as select * from canary;
  create procedure emptied() language sql as 'delete from canary';
  create function writes() returns int language sql
    as 'insert into canary values (10) returning id'`;

export interface ReadOnlyStage {
  readonly database: TestDatabase;
  /** What the database looks like, past Gatepost. */
  state(): Promise<unknown>;
  close(): Promise<void>;
}

/** Sets up the objects that the corpus in read-only-corpus.ts is about. */
export async function createReadOnlyStage(): Promise<ReadOnlyStage> {
  const database = await createTestDatabase();
  const observer = new pg.Client(database.url);
  await observer.connect();
  await observer.query(OBJECTS);
  return {
    database,
    state: async () => (await observer.query<Record<string, unknown>>(STATE)).rows,
    close: async () => {
      await observer.end();
      await database.drop();
    },
  };
}
