// The state of a source as text: the specification's map, with values whose types are kept, whose
// records it belongs to, and what is still to be acknowledged.
import { z } from 'zod';
import { ConnectorError } from './connector-error.ts';

/** The records that a state belongs to: of others its position means nothing. */
export interface Fingerprint {
  readonly database: string;
  readonly collection: string;
  readonly trackingField: string;
}

/** A document whose message is stored, and which is to be deleted or marked if it is the same. */
export interface Pending {
  /** Its `_id` in canonical Extended JSON. */
  readonly id: string;
  /** Of its BSON as it was read, in hexadecimal. */
  readonly sha256: string;
}

export interface SourceState {
  /** Undefined before the first batch. */
  readonly lastPollTime: Date | undefined;
  /** A position or, from elsewhere, an offset as an operator writes it; undefined at the start. */
  readonly offset: string | undefined;
  readonly processedDocuments: number;
  readonly pending: readonly Pending[];
}

export const FIRST_STATE: SourceState = {
  lastPollTime: undefined,
  offset: undefined,
  processedDocuments: 0,
  pending: [],
};

/** Of what is pending as it is saved: beyond it a batch ends, so that its state can be loaded. */
export const PENDING_BYTES_MAX = 16 * 1024 * 1024;

/** Own fields by whatever name: zod's records leave out `__proto__`. */
const offsetsSchema = z.unknown().transform((value, context): ReadonlyMap<string, string> => {
  const offsets = new Map<string, string>();
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    context.addIssue({ code: 'custom', message: 'no object' });
    return z.NEVER;
  }
  const fields: readonly (readonly [string, unknown])[] = Object.entries(value);
  for (const [name, offset] of fields) {
    if (typeof offset === 'string') {
      offsets.set(name, offset);
    } else {
      context.addIssue({ code: 'custom', message: 'no text', path: [name] });
    }
  }
  return offsets;
});

const stateSchema = z.strictObject({
  last_poll_time: z.iso.datetime().optional(),
  tracking_offsets: offsetsSchema,
  processed_documents: z.int().min(0),
  fingerprint: z
    .strictObject({ database: z.string(), collection: z.string(), tracking_field: z.string() })
    .optional(),
  pending: z
    .array(z.strictObject({ id: z.string(), sha256: z.string().regex(/^[0-9a-f]{64}$/) }))
    .default([]),
});

type StateText = z.infer<typeof stateSchema>;

/** Of MessagePack: what an array or a map of few elements, or a longer one, begins with. */
const MESSAGE_PACK = /^[\x80-\x9f\xdc-\xdf\ufffd]/;

/** What is wrong with a state of the Rust runtime, and what to do. */
export const RUST_STATE =
  "The saved state is in the format of Iggy's Rust runtime, MessagePack, which is not read: move " +
  'it away, and set initial_offset to the last value that was sent';

const WHAT_TO_DO =
  'restore it from a copy, or move it away to begin again behind initial_offset, which sends ' +
  'again what was sent before';

/** Whether a file may be a state of the Rust runtime. */
export function isMessagePack(bytes: Buffer): boolean {
  return MESSAGE_PACK.test(bytes.subarray(0, 1).toString('latin1'));
}

/** How much of a saved state these take. */
export function pendingBytesOf(pending: readonly Pending[]): number {
  const texts = pending.map(({ id, sha256 }) => JSON.stringify({ id, sha256 }));
  return texts.reduce((bytes, text) => bytes + Buffer.byteLength(text) + 1, 0);
}

/** The state as it is saved. */
export function formatState(state: SourceState, fingerprint: Fingerprint): string {
  const { lastPollTime, offset, processedDocuments, pending } = state;
  const { database, collection, trackingField } = fingerprint;
  const text: z.input<typeof stateSchema> = {
    ...(lastPollTime === undefined ? {} : { last_poll_time: lastPollTime.toISOString() }),
    tracking_offsets: offset === undefined ? {} : { [collection]: offset },
    processed_documents: processedDocuments,
    fingerprint: { database, collection, tracking_field: trackingField },
    pending: [...pending],
  };
  return JSON.stringify(text);
}

/**
 * Reads a saved state.
 *
 * @throws ConnectorError `invalid-state` when it is damaged or belongs to other records
 */
export function parseState(text: string, fingerprint: Fingerprint): SourceState {
  const state = parseText(text);
  checkFingerprint(state, fingerprint);
  return {
    lastPollTime: state.last_poll_time === undefined ? undefined : new Date(state.last_poll_time),
    offset: state.tracking_offsets.get(fingerprint.collection),
    processedDocuments: state.processed_documents,
    pending: state.pending,
  };
}

function parseText(text: string): StateText {
  if (MESSAGE_PACK.test(text)) {
    throw invalid(RUST_STATE);
  }
  const parsed = stateSchema.safeParse(parseJson(text));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const place =
      issue === undefined || issue.path.length === 0 ? '' : ` at ${issue.path.join('.')}`;
    throw invalid(`The saved state is damaged${place}: ${WHAT_TO_DO}`);
  }
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}

/** A state that was written by hand has none; then it must at least know the collection. */
function checkFingerprint(state: StateText, fingerprint: Fingerprint): void {
  const { database, collection, trackingField } = fingerprint;
  const saved = state.fingerprint ?? {
    database,
    collection: [...state.tracking_offsets.keys()][0] ?? collection,
    tracking_field: trackingField,
  };
  const isSame =
    saved.database === database &&
    saved.collection === collection &&
    saved.tracking_field === trackingField;
  if (!isSame) {
    throw invalid(
      `The saved state belongs to ${saved.database}.${saved.collection} by ` +
        `"${saved.tracking_field}", and the source reads ${database}.${collection} by ` +
        `"${trackingField}": give the source another key, or move its state away to begin again`,
    );
  }
}

function invalid(message: string): ConnectorError {
  return new ConnectorError('invalid-state', message);
}
