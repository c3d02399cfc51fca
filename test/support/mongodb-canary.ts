// A collection that attacks over HTTP are tried on, and that has to stay as it is.
import { beforeEach, expect } from '@jest/globals';
import type { Collection } from 'mongodb';
import type { Response } from 'supertest';
import type { Stored } from './mongodb-crud-stage.ts';
import { serveMongodb } from './served-mongodb.ts';
import type { ServedMongodb } from './served-mongodb.ts';

const CANARY = [
  { _id: 'canary', name: 'ann', secret: 'kept', age: 5 },
  { _id: 'other', name: 'bob', secret: 'kept', age: 6 },
];

export interface MongodbCanary extends ServedMongodb {
  readonly canary: () => Collection<Stored>;
  /** All attacks are told apart from faults, and leave the canary alone. */
  readonly expectHarmless: (responses: readonly Response[]) => Promise<void>;
  /** Harmless, and with one of these statuses. */
  readonly expectRefused: (
    responses: readonly Response[],
    statuses?: readonly number[],
  ) => Promise<void>;
}

/** Serves the collection, as it was before each test. */
export function serveMongodbCanary(): MongodbCanary {
  const served = serveMongodb({ limits: { queryTimeoutMs: 5000 } });
  const canary = (): Collection<Stored> => served.collection('canary');
  beforeEach(async () => {
    await canary().deleteMany({});
    await canary().insertMany(CANARY.map((document) => ({ ...document })));
  });
  const expectHarmless: MongodbCanary['expectHarmless'] = async (responses) => {
    for (const { status, type, text, request } of responses) {
      const what = `${request.method} ${request.url.slice(0, 300)}: ${status} ${text}`;
      expect(status < 500 ? '' : what).toBe('');
      expect(['application/problem+json', 'application/json', '']).toContain(type);
      expect(text.includes('at ') && text.includes('.ts:') ? what : '').toBe('');
    }
    expect(await canary().find({}).sort({ _id: 1 }).toArray()).toEqual(CANARY);
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect('admin' in {}).toBe(false);
  };
  return {
    ...served,
    canary,
    expectHarmless,
    expectRefused: async (responses, statuses = [400, 422]) => {
      for (const { status, request, text } of responses) {
        const what = statuses.includes(status) ? '' : `${request.method} ${request.url}: ${text}`;
        expect(what).toBe('');
      }
      await expectHarmless(responses);
    },
  };
}
