import { describe } from '@jest/globals';
import { MongoClient } from 'mongodb';
import { randomBytes } from 'node:crypto';

export interface TestMongodbDatabase {
  /** Connection string of the server's administrator, with this database. */
  readonly uri: string;
  readonly name: string;
  /** Past Gatepost, for what the test itself does. */
  readonly client: MongoClient;
  /** Removes the database and closes the client. */
  drop(): Promise<void>;
}

/** Connection string of the MongoDB that this run of the integration tests shares. */
function testMongodbUri(): string {
  const uri = process.env['TEST_MONGODB_URI'];
  if (uri === undefined) {
    throw new Error(
      `TEST_MONGODB_URI is missing (${whyMissing()}): run integration tests with Jest, whose ` +
        'global set-up starts a MongoDB, or name one of yours',
    );
  }
  return uri;
}

/** A database for one test file or one test; drop it when done. */
export async function createTestMongodbDatabase(): Promise<TestMongodbDatabase> {
  const name = `gatepost_test_${randomBytes(6).toString('hex')}`;
  const uri = withMongodbDatabase(testMongodbUri(), name);
  const client = new MongoClient(uri, { appName: 'gatepost-test' });
  await client.connect();
  return {
    name,
    uri,
    client,
    drop: async () => {
      await client.db(name).dropDatabase();
      await client.close();
    },
  };
}

/** The same connection string with another database. */
function withMongodbDatabase(uri: string, database: string): string {
  // Not a URL: it may name several hosts. The database follows the first slash after them.
  const [, server = uri, query = ''] =
    /^(mongodb(?:\+srv)?:\/\/[^/?]*)[^?]*(\?.*)?$/.exec(uri) ?? [];
  return `${server}/${database}${query}`;
}

/** Tests that need a MongoDB; where there is none they are skipped, and their title says why. */
export function describeMongodb(name: string, tests: () => void): void {
  if (process.env['TEST_MONGODB_URI'] === undefined) {
    describe.skip(`${name} (skipped, there is no MongoDB: ${whyMissing()})`, tests);
    return;
  }
  describe(name, tests);
}

function whyMissing(): string {
  return process.env['TEST_MONGODB_MISSING'] ?? 'the global set-up has not run';
}
