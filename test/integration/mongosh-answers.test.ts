// Statements get the answers that mongosh gave to them on the same kind of server.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { BSON } from 'mongodb';
import { createTestMongodbDatabase, describeMongodb } from '../support/mongodb.ts';
import type { TestMongodbDatabase } from '../support/mongodb.ts';
import { startMongodbGate } from '../support/start-mongodb-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import { firstReport, WireClient } from '../support/wire-client.ts';
import type { ReceivedFrame } from '../support/wire-client.ts';

interface Answer {
  readonly statement: string;
  readonly cursor?: boolean;
  readonly value?: unknown;
  readonly error?: { readonly name: string; readonly code?: number; readonly message: string };
}

interface Seed {
  readonly collections: Readonly<Record<string, readonly BSON.Document[]>>;
  readonly indexes: Readonly<Record<string, readonly BSON.Document[]>>;
}

/** Answers that differ from run to run, and what of them has to be equal. */
const VARYING = new Set(['$clusterTime', 'operationTime']);

const folder = path.join(import.meta.dirname, '../support/mongosh');
const answers: readonly Answer[] = readFileSync(path.join(folder, 'answers.jsonl'), 'utf8')
  .trim()
  .split('\n')
  // The file is of our own, and made as its type says.
  .map((line) => JSON.parse(line) as Answer);

/** Deliberate differences: the answer that is given instead, and why. */
const OWN_ANSWERS: Readonly<Record<string, unknown>> = {
  // mongosh does not hand this option on; MongoDB itself answers with the key alone.
  'db.people.find({_id:2}).returnKey()': [{ _id: { $numberInt: '2' } }],
};

let database: TestMongodbDatabase;
let gate: Gate;
let client: WireClient;

async function plant(): Promise<void> {
  const text = readFileSync(path.join(folder, 'seed.json'), 'utf8');
  // The file is of our own, and made as its type says.
  const seed = BSON.EJSON.parse(text, { relaxed: false }) as Seed;
  const db = database.client.db(database.name);
  for (const [name, documents] of Object.entries(seed.collections)) {
    await db.collection(name).insertMany([...documents]);
  }
  for (const [createIndexes, indexes] of Object.entries(seed.indexes)) {
    if (indexes.length > 0) {
      await db.command({ createIndexes, indexes });
    }
  }
}

function valuesOf(frames: readonly ReceivedFrame[]): unknown[] {
  return frames
    .filter(({ type }) => type === 'D')
    .map(({ bytes }): unknown => JSON.parse(bytes.subarray(11).toString('utf8')));
}

/** mongosh shows a Double with an integral value as the integer that it is not. */
function comparable(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(comparable);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const entries = Object.entries(value).filter(([name]) => !VARYING.has(name));
  const [[name, text] = ['', '']] = entries;
  if (['$numberInt', '$numberLong', '$numberDouble'].includes(name) && entries.length === 1) {
    return { number: Object.is(Number(text), -0) ? '-0' : String(Number(text)) };
  }
  return Object.fromEntries(entries.map(([key, inner]) => [key, comparable(inner)]));
}

describeMongodb('A statement is answered as mongosh answers it', () => {
  beforeAll(async () => {
    database = await createTestMongodbDatabase();
    await plant();
    gate = await startMongodbGate({ uri: database.uri });
    client = await WireClient.login(gate.port, { options: '-c gatepost.ejson=canonical' });
  });

  afterAll(async () => {
    client.destroy();
    await gate.stop();
    await database.drop();
  });

  test.each(answers.map((answer) => [answer.statement, answer] as const))(
    '%s',
    async (text, answer) => {
      const frames = await client.query(text.replaceAll(/\bDB\b/g, database.name));
      if (answer.error !== undefined) {
        const { name, message, code } = answer.error;
        const report = firstReport(frames);
        expect(report).toMatchObject({ C: 'XX000' });
        expect(report['M']).toMatch(new RegExp(`^${name}(\\[\\w+\\])?: `));
        expect(report['M']).toContain(message.replaceAll(/\bDB\b/g, database.name));
        if (code !== undefined) {
          expect(JSON.parse(report['D'] ?? '')).toMatchObject({ code });
        }
        return;
      }
      expect(firstReport(frames)).toEqual({});
      const wanted: unknown = JSON.parse(
        JSON.stringify(OWN_ANSWERS[text] ?? answer.value ?? null).replaceAll(
          /\bDB\b/g,
          database.name,
        ),
      );
      const isArray = Array.isArray(wanted) && !isArrayField(text);
      expect(comparable(valuesOf(frames))).toEqual(comparable(isArray ? wanted : [wanted]));
    },
  );
});

/** A path that leads to an array within a document gives one row. */
function isArrayField(statement: string): boolean {
  return /\)\.[\w.]+$/.test(statement);
}
