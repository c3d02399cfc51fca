// Arbitrary documents of all types that the driver has a class for and gives back unchanged.
import fc from 'fast-check';
import {
  Binary,
  BSON,
  BSONRegExp,
  BSONSymbol,
  Code,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'mongodb';

const BINARY_SUBTYPES = [0, 1, 2, 3, 5, 6, 7, 8, 0x80, 0xff];
const UUID_SUBTYPE = 4;
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** Numbers around which a type or a spelling changes, each with its neighbours. */
const EDGES = [0n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 62n, 2n ** 63n, 10n ** 21n].flatMap(
  (edge) => [edge - 1n, edge, edge + 1n, -edge - 1n, -edge, -edge + 1n],
);

const texts = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom('"', '\\', '\n', '\u0000', '\u001f', '\u007f', 'é', '\u2028'),
  }),
  fc.string({ minLength: 50, maxLength: 300 }),
);

const patterns = texts.map((text) => text.replaceAll('\0', ''));

/** Names that mean nothing to the driver: an object would sort indexes to its front. */
const names = fc
  .oneof(patterns, fc.constantFrom('__proto__', 'constructor', 'toString', 'length', ''))
  .filter((name) => !/^(?:\d+$|\$|_bsontype$)/.test(name));

const int64s = fc.oneof(
  fc.bigInt({ min: INT64_MIN, max: INT64_MAX }),
  fc.constantFrom(...EDGES.filter((edge) => edge >= INT64_MIN && edge <= INT64_MAX)),
);

const doubles = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.constantFrom(...EDGES.map(Number), -0, NaN, Infinity, -Infinity, 1e300, 5e-324),
);

const decimals = fc
  .tuple(
    fc.bigInt({ min: -(10n ** 34n) + 1n, max: 10n ** 34n - 1n }),
    fc.oneof(fc.integer({ min: -6176, max: 6111 }), fc.integer({ min: -40, max: 10 })),
  )
  .map(([digits, exponent]) => Decimal128.fromString(`${digits}E${exponent}`));

const binaries = fc.oneof(
  fc
    .tuple(fc.uint8Array(), fc.constantFrom(...BINARY_SUBTYPES))
    .map(([bytes, subtype]) => new Binary(bytes, subtype)),
  fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => new Binary(bytes, UUID_SUBTYPE)),
);

const uint32s = fc.integer({ min: 0, max: 0xffffffff });

const scalars: fc.Arbitrary<unknown> = fc.oneof(
  texts,
  fc.boolean(),
  fc.constant(null),
  fc.integer().map((value) => new Int32(value)),
  int64s.map((value) => Long.fromBigInt(value)),
  doubles.map((value) => new Double(value)),
  decimals,
  fc.constantFrom('NaN', 'Infinity', '-Infinity', '-0').map((text) => Decimal128.fromString(text)),
  fc.date({ noInvalidDate: true }),
  fc.integer({ min: 0, max: 4e12 }).map((ms) => new Date(ms - (ms % 1000))),
  fc.uint8Array({ minLength: 12, maxLength: 12 }).map((bytes) => new ObjectId(bytes)),
  binaries,
  fc
    .tuple(patterns, fc.subarray(['i', 'l', 'm', 's', 'u', 'x']))
    .map(([pattern, options]) => new BSONRegExp(pattern, options.join(''))),
  fc.tuple(uint32s, uint32s).map(([t, i]) => new Timestamp({ t, i })),
  texts.map((text) => new Code(text)),
  texts.map((text) => new BSONSymbol(text)),
  fc.constantFrom(new MinKey(), new MaxKey()),
);

function mapsOf(values: fc.Arbitrary<unknown>): fc.Arbitrary<Map<string, unknown>> {
  return fc
    .uniqueArray(fc.tuple(names, values), { selector: ([name]) => name, maxLength: 8 })
    .map((entries) => new Map(entries));
}

const values = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalars,
    fc.array(tie('value'), { maxLength: 6 }),
    mapsOf(tie('value')),
    fc
      .tuple(texts, mapsOf(scalars))
      .map(([code, scope]) => new Code(code, Object.fromEntries(scope))),
  ),
})).value;

/** The BSON bytes of an arbitrary document. */
export const bsonDocuments: fc.Arbitrary<Uint8Array> = mapsOf(values).map((map) =>
  BSON.serialize(map),
);

/** Bytes that were a document before some of them were changed, put in or cut off. */
export const damagedDocuments: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    bsonDocuments,
    fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 }),
    fc.option(fc.nat(), { freq: 4 }),
  )
  .map(([document, changes, cut]) => {
    const size = cut === null ? document.length : cut % (document.length + 1);
    const bytes = Buffer.from(document.subarray(0, size));
    for (const [at, byte] of size === 0 ? [] : changes) {
      bytes[at % size] = byte;
    }
    // Without its own length a document is refused at once; most should get further than that.
    if (cut !== null && size >= 5) {
      bytes.writeInt32LE(size, 0);
      bytes[size - 1] = 0;
    }
    return bytes;
  });
