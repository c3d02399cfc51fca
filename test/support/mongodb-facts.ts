// What a MongoDB server says that it holds, asked past Gatepost.
import { untilFact } from './facts.ts';
import type { TestMongodbDatabase } from './mongodb.ts';

/** How long a cursor has to be left alone to count as one whose client takes no more. */
const STUCK_MS = 200;

/** Everything that belongs to nobody's running command is asked for too. */
const EVERYTHING = { localOps: true, idleCursors: true, idleConnections: true };

async function count(
  { client }: TestMongodbDatabase,
  match: Readonly<Record<string, unknown>>,
): Promise<number> {
  const pipeline = [{ $currentOp: EVERYTHING }, { $match: match }];
  return (await client.db('admin').aggregate(pipeline).toArray()).length;
}

/** What runs or waits in the database, whoever asked for it: operations and open cursors. */
export async function heldOperations(database: TestMongodbDatabase): Promise<number> {
  return await count(database, { ns: { $regex: `^${database.name}\\.` } });
}

/** Resolves when the database has no operation and no cursor left. */
export async function untilNothingHeld(database: TestMongodbDatabase): Promise<void> {
  await untilFact(
    async () => (await heldOperations(database)) === 0,
    'the server to hold no operation and no cursor',
  );
}

/** Resolves when so many operations run whose command has this field with this value. */
export async function untilRunning(
  database: TestMongodbDatabase,
  command: Readonly<Record<string, unknown>>,
  wanted = 1,
): Promise<void> {
  const match: Record<string, unknown> = { ns: { $regex: `^${database.name}\\.` }, active: true };
  for (const [name, value] of Object.entries(command)) {
    match[`command.${name}`] = value;
  }
  await untilFact(
    async () => (await count(database, match)) === wanted,
    `${JSON.stringify(command)} to run ${wanted} times`,
  );
}

/** Resolves when so many cursors of the database wait for somebody to take what they have. */
export async function untilStuck(database: TestMongodbDatabase, wanted: number): Promise<void> {
  const ageMs = { $subtract: ['$$NOW', '$cursor.lastAccessDate'] };
  const match = {
    type: 'idleCursor',
    ns: { $regex: `^${database.name}\\.` },
    $expr: { $gt: [ageMs, STUCK_MS] },
  };
  await untilFact(
    async () => (await count(database, match)) === wanted,
    `${wanted} cursors to be left alone`,
  );
}

/** Connections that Gatepost has for clients of this application name. */
export async function gatepostConnections(
  database: TestMongodbDatabase,
  applicationName: string,
): Promise<number> {
  return await count(database, { appName: { $regex: `^gatepost/${applicationName}@` } });
}

/** Resolves when Gatepost has so many connections for clients of this application name. */
export async function untilConnections(
  database: TestMongodbDatabase,
  applicationName: string,
  wanted: number,
): Promise<void> {
  await untilFact(
    async () => (await gatepostConnections(database, applicationName)) === wanted,
    `${wanted} connections for ${applicationName}`,
  );
}
