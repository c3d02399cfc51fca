// Collections of a database of the tests' own, with the REST API's routes in front of them.
import { afterAll, beforeAll, expect } from '@jest/globals';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Collection } from 'mongodb';
import supertest from 'supertest';
import type { CrudAppOptions, CrudStage } from './crud-app.ts';
import { collectionOf, parsePage, startMongodbCrud } from './mongodb-crud-stage.ts';
import type { Page, Stored } from './mongodb-crud-stage.ts';
import { createTestMongodbDatabase } from './mongodb.ts';
import type { TestMongodbDatabase } from './mongodb.ts';

export interface ServedMongodb {
  readonly api: ReturnType<typeof supertest>;
  /** What is there now: tests look it up when they run. */
  readonly database: () => TestMongodbDatabase;
  readonly stage: () => CrudStage;
  /** A collection, past the API. */
  readonly collection: (name: string) => Collection<Stored>;
  /** Where a collection is served, and with what query string. */
  readonly urlOf: (name: string, query?: string) => string;
  /** A list that has to be answered with 200. */
  readonly fetchPage: (path: string) => Promise<Page>;
  readonly idsOf: (path: string) => Promise<unknown[]>;
}

/** Sets the database up around the tests beside this call; no request may end in a fault. */
export function serveMongodb(options: CrudAppOptions = {}): ServedMongodb {
  let database: TestMongodbDatabase;
  let stage: CrudStage;
  beforeAll(async () => {
    database = await createTestMongodbDatabase();
    stage = startMongodbCrud({ ...options, uri: database.uri });
  });
  afterAll(async () => {
    expect(stage.faults()).toEqual([]);
    await stage.close();
    await database.drop();
  });
  const api = supertest((request: IncomingMessage, response: ServerResponse) => {
    stage.app(request, response);
  });
  const fetchPage = async (path: string): Promise<Page> => {
    const response = await api.get(path);
    expect([response.status, response.text]).toEqual([200, expect.any(String)]);
    return parsePage(response.body);
  };
  return {
    api,
    database: () => database,
    stage: () => stage,
    collection: (name) => collectionOf(database, name),
    urlOf: (name, query = '') => `/api/mongodb/${database.name}/${name}${query}`,
    fetchPage,
    idsOf: async (path) => (await fetchPage(path)).items.map(({ _id }) => _id),
  };
}

/** The same with a collection `many` of 250 documents. */
export function serveManyDocuments(): ServedMongodb {
  const served = serveMongodb();
  beforeAll(async () => {
    const documents = Array.from({ length: 250 }, (_, id) => ({ _id: id }));
    await served.collection('many').insertMany(documents);
  });
  return served;
}
