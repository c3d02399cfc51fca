// The little SQL that clients send by themselves, and the settings of a session.
import assert from 'node:assert/strict';
import { BSON } from 'mongodb';
import type { BackendEvent, Notice, Startup } from '../backend.ts';
import type { Guard } from '../../guardrails/guard.ts';
import type { MongoPolicy } from '../../guardrails/mongo-policy.ts';
import { documentBytes, readPath } from './bson-reader.ts';
import type { BsonValue } from './bson-reader.ts';
import { createCatalogSource } from './catalog-queries.ts';
import type { CatalogSource } from './catalog-source.ts';
import type { Connection } from './connection.ts';
import type { EjsonMode } from './extended-json.ts';
import { completeResult } from './plan-run.ts';
import { RowWriter } from './row-writer.ts';
import { SqlSession } from './sql-session.ts';
import { createSessionSettings } from './sql-settings.ts';
import { answerSql } from './sql-statements.ts';
import { encodeValue } from './value-bson.ts';

/** Settings of the gate's own namespace that are understood here. */
export const OWN_SETTINGS: ReadonlySet<string> = new Set(['gatepost.ejson']);

export interface SqlDeskOptions {
  readonly startup: Startup;
  readonly database: string;
  /** MongoDB's. */
  readonly serverVersion: string;
  readonly isReadOnly: boolean;
  /** As a CancelRequest names the session. */
  readonly processId: number;
}

/** What an answer may use. */
export interface SqlContext {
  readonly connection: Connection;
  readonly policy: MongoPolicy;
  readonly guard: Guard;
  readonly signal: AbortSignal;
}

/** One session's settings, transaction status and answers. */
export class SqlDesk {
  readonly notices: readonly Notice[];
  readonly #session: SqlSession;
  readonly #user: string;
  database: string;

  constructor({ startup, database, serverVersion, isReadOnly, processId }: SqlDeskOptions) {
    const { user, applicationName, settings } = startup;
    const start = { user, applicationName, settings, mongodbVersion: serverVersion, isReadOnly };
    const created = createSessionSettings(start);
    this.#session = new SqlSession(created.settings, processId);
    this.#user = user;
    this.notices = created.notices;
    this.database = database;
  }

  /** Run-time settings that clients are told without asking. */
  get parameters(): ReadonlyMap<string, string> {
    return new Map(this.#session.settings.reported);
  }

  get ejson(): EjsonMode {
    return this.#session.settings.ejsonMode;
  }

  /** What the client has set, in milliseconds; 0 when it has not. */
  get statementTimeoutMs(): number {
    return this.#session.settings.statementTimeoutMs;
  }

  get transactionStatus(): 'I' | 'T' {
    return this.#session.transactionStatus;
  }

  /** @throws ServiceError 42601 for SQL that no client sends by itself */
  async *answer(text: string, context: SqlContext): AsyncGenerator<BackendEvent, void, undefined> {
    const catalog = this.#createCatalog(context);
    const answer = await answerSql(text, this.#session, catalog, context.signal);
    for (const notice of answer.notices ?? []) {
      yield { kind: 'notice', notice };
    }
    for (const setting of answer.parameters ?? []) {
      yield { kind: 'parameter', setting };
    }
    if (answer.columns === undefined) {
      yield { kind: 'complete', commandTag: answer.commandTag };
      return;
    }
    yield { kind: 'columns', columns: answer.columns };
    const rows = new RowWriter(context.guard, this.ejson);
    yield* rows.rowsOf((answer.rows ?? []).map((row) => row.map(toBytes)));
    yield* completeResult(rows, context.guard, rows.isFull ? undefined : answer.commandTag);
  }

  /** What is asked for a listing passes the same policy as what a client types. */
  #createCatalog({ connection, policy, guard }: SqlContext): CatalogSource {
    const timeoutMs = guard.limits.queryTimeoutMs;
    return createCatalogSource({
      user: this.#user,
      currentDatabase: () => this.database,
      run: async (database, command, signal) => {
        const refusal = policy.admit(command, database);
        if (refusal !== undefined) {
          throw refusal;
        }
        const reply = await connection.run({ database, command }, { signal, timeoutMs });
        return BSON.deserialize(documentBytes(valueAt(encodeValue(reply))));
      },
    });
  }
}

function valueAt(bytes: Uint8Array): BsonValue {
  const value = readPath(bytes, ['v']);
  assert(value !== undefined, 'A value is where it was put');
  return value;
}

function toBytes(value: string | null): Buffer | null {
  return value === null ? null : Buffer.from(value, 'utf8');
}
