// What holds for every document, and for bytes that are none.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BSON } from 'mongodb';
import {
  BsonError,
  documentBytes,
  readElements,
} from '../../../../src/backends/mongodb/bson-reader.ts';
import { EJSON_MODES, ExtendedJsonWriter } from '../../../../src/backends/mongodb/extended-json.ts';
import type { EjsonMode } from '../../../../src/backends/mongodb/extended-json.ts';
import { bsonDocuments, damagedDocuments } from '../../../support/bson-arbitrary.ts';

const { EJSON } = BSON;

/** The same documents in each run: a change of ours must be the reason of a failure. */
const RUNS = { numRuns: 250, seed: 20_260_401 };

function textOf(mode: EjsonMode, bson: Uint8Array): string {
  const writer = new ExtendedJsonWriter(mode);
  writer.appendDocument(bson);
  return writer.take().toString('utf8');
}

function driverText(bson: Uint8Array): string {
  const decoded = BSON.deserialize(bson, {
    promoteValues: false,
    promoteLongs: false,
    promoteBuffers: false,
    bsonRegExp: true,
  });
  return EJSON.stringify(decoded, { relaxed: false });
}

function parseLossless(text: string): BSON.Document {
  const parsed: unknown = EJSON.parse(text, { relaxed: false });
  if (typeof parsed !== 'object' || parsed === null) {
    throw new Error('The text is no document');
  }
  return parsed;
}

describe('any document', () => {
  it('is in canonical mode what the driver writes', () => {
    fc.assert(
      fc.property(bsonDocuments, (bson) => {
        expect(textOf('canonical', bson)).toBe(driverText(bson));
      }),
      RUNS,
    );
  });

  it.each(['canonical', 'lossless'] as const)(
    'comes back type for type from its %s text through the parser of the driver',
    (mode) => {
      fc.assert(
        fc.property(bsonDocuments, (bson) => {
          const back = BSON.serialize(parseLossless(textOf(mode, bson)));
          // Digits compare many times as fast as Jest compares bytes.
          expect(Buffer.from(back).toString('hex')).toBe(Buffer.from(bson).toString('hex'));
        }),
        RUNS,
      );
    },
  );

  it('is JSON in every mode, with the names in stored order', () => {
    fc.assert(
      fc.property(bsonDocuments, fc.constantFrom(...EJSON_MODES), (bson, mode) => {
        const parsed: unknown = JSON.parse(textOf(mode, bson));
        const decoded = BSON.deserialize(bson, { promoteValues: false, bsonRegExp: true });
        expect(Object.keys(parsed ?? {})).toEqual(Object.keys(decoded));
      }),
      RUNS,
    );
  });
});

describe('damaged bytes', () => {
  /** The text or the error of these bytes, where they stand among others. */
  function outcome(bson: Uint8Array, around: number): string {
    const field = Buffer.alloc(bson.length + 64, around);
    field.set(bson, 32);
    try {
      return textOf('lossless', field.subarray(32, 32 + bson.length));
    } catch (error) {
      if (error instanceof BsonError) {
        return error.message;
      }
      throw error;
    }
  }

  it('give a text or a BsonError, and what stands around them does not matter', () => {
    fc.assert(
      fc.property(damagedDocuments, (bson) => {
        const first = outcome(bson, 0x00);
        expect(outcome(bson, 0xff)).toBe(first);
        if (!first.startsWith('Malformed')) {
          expect(() => void JSON.parse(first)).not.toThrow();
        }
      }),
      { ...RUNS, numRuns: 2000 },
    );
  });

  it('are refused wherever a document is cut off', () => {
    const whole = BSON.serialize({
      a: 'text',
      b: [1, { c: new BSON.Code('f', { d: 2 }) }],
      e: /x/i,
    });
    for (let size = 0; size < whole.length; size++) {
      const cut = Buffer.from(whole.subarray(0, size));
      expect(() => textOf('relaxed', cut)).toThrow(BsonError);
      if (size >= 4) {
        cut.writeInt32LE(size, 0);
        expect(() => textOf('relaxed', cut)).toThrow(BsonError);
      }
    }
  });

  it('give elements within them or a BsonError, however deep they are read', () => {
    function walk(bson: Uint8Array): void {
      for (const [, value] of readElements(bson)) {
        expect(value.offset <= value.end && value.end < bson.length).toBe(true);
        if (value.type === 0x03 || value.type === 0x04) {
          walk(documentBytes(value));
        }
      }
    }
    fc.assert(
      fc.property(damagedDocuments, (bson) => {
        try {
          walk(bson);
        } catch (error) {
          expect(error).toBeInstanceOf(BsonError);
        }
      }),
      { ...RUNS, numRuns: 1000 },
    );
  });
});
