// A command document for MongoDB out of a request's JSON: Extended JSON, relaxed or canonical.
import { isLosslessNumber } from 'lossless-json';
import type { LosslessNumber } from 'lossless-json';
import { Double, Long } from 'mongodb';
import { fromExtendedJson } from '../src/backends/mongodb/shell-extended-json.ts';
import { ShellSyntaxError } from '../src/backends/mongodb/shell-error.ts';
import { RequestError } from './request-error.ts';

/**
 * The document as the driver takes it. Documents within it are Maps, so that each key is only a
 * name; numbers have the type that the lossless form means: integers of 32 or 64 bits as they
 * fit, and doubles.
 *
 * @throws RequestError 422 for an empty document, for a typed value that is malformed, as
 *   `{"$oid": "x"}` is, and for an option that would come before the command's name
 */
export function toCommandDocument(
  command: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  if (Object.keys(command).length === 0) {
    throw new RequestError(422, 'The command document is empty', {
      hint: 'Its first name is the command: {"ping": 1}',
      fields: [{ field: 'command', message: 'It names no command' }],
    });
  }
  const index = Object.keys(command).find((name) => /^\d+$/.test(name));
  if (index !== undefined) {
    throw new RequestError(422, 'A command has no option whose name is a number', {
      fields: [{ field: `command.${index}`, message: 'No command takes it' }],
    });
  }
  return Object.fromEntries(
    Object.entries(command).map(([name, value]) => [name, toBsonValue(value, `command.${name}`)]),
  );
}

/**
 * One value of a request's JSON as the driver takes it.
 *
 * @param field where it is, for what is said when it is malformed
 */
export function toBsonValue(value: unknown, field: string): unknown {
  try {
    return fromExtendedJson(toMaps(value), 0);
  } catch (error) {
    if (error instanceof ShellSyntaxError) {
      throw new RequestError(422, 'A typed value of Extended JSON cannot be read', {
        fields: [{ field, message: error.message }],
      });
    }
    throw error;
  }
}

/** Within these, numbers are parts of a value, and have no type of their own. */
const WRAPPERS_OF_NUMBERS: ReadonlySet<string> = new Set(['$date', '$timestamp']);

type ToNumber = (number: LosslessNumber) => unknown;

function toMaps(value: unknown, toNumber: ToNumber = toBsonNumber): unknown {
  if (Array.isArray(value)) {
    return value.map((element) => toMaps(element, toNumber));
  }
  if (isLosslessNumber(value)) {
    return toNumber(value);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const [first = ''] = Object.keys(value);
  const inner = WRAPPERS_OF_NUMBERS.has(first) ? toPlainNumber : toNumber;
  return new Map(Object.entries(value).map(([name, one]) => [name, toMaps(one, inner)] as const));
}

function toPlainNumber({ value }: LosslessNumber): number {
  return Number(value);
}

function toBsonNumber({ value: digits }: LosslessNumber): number | Long | Double {
  const value = Number(digits);
  if (!/^-?\d+$/.test(digits) || Object.is(value, -0)) {
    return new Double(value);
  }
  if (value === (value | 0)) {
    return value;
  }
  const integer = BigInt(digits);
  if (integer !== BigInt.asIntN(64, integer)) {
    throw new RequestError(422, 'An integer beyond 64 bits has no type in BSON', {
      hint: 'Write {"$numberDecimal": "..."}, or a fraction for a double',
    });
  }
  return Long.fromBigInt(integer);
}
