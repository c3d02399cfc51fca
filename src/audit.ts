import { hash } from 'node:crypto';
import { openAuditOutput } from './audit-file.ts';
import { AuditWriter } from './audit-writer.ts';
import { cutText, cutUtf8, roundMs, toJsonLine, toSessionFields } from './json-line.ts';
import type { AuditLoss } from './audit-writer.ts';
import { HTTP_DOOR } from './observation.ts';
import type { Observer, StatementFinished } from './observation.ts';

/** UTF-8 bytes of a statement that a line shows; length and hash tell of the rest. */
export const AUDIT_TEXT_BYTES_MAX = 4096;

/** Command tags that a line shows: one Query message can hold a million statements. */
export const AUDIT_COMMAND_TAGS_MAX = 16;

/** PostgreSQL's own tags are shorter; an upstream can send what it likes. */
const COMMAND_TAG_LENGTH_MAX = 64;

interface AuditOptions {
  /** A path, or `-` for standard output. */
  readonly file: string;
  /** Told of lost lines, at most once a second and reason; must not throw. */
  readonly report: (loss: AuditLoss) => void;
}

interface Audit extends Observer {
  /** Resolves when every line is written, or counted as lost at the deadline. */
  close(deadline: AbortSignal): Promise<void>;
}

/**
 * Opens an Observer that writes one JSON line per finished statement. Lines are handed to the
 * operating system in order, some milliseconds later at most, and not synced one by one; the file
 * may be rotated by copy and truncate. Rejects when the file cannot be opened.
 */
export async function openAudit({ file, report }: AuditOptions): Promise<Audit> {
  const writer = new AuditWriter({ output: await openAuditOutput(file), report });
  return {
    observe(observation) {
      if (observation.kind === 'statement-finished') {
        writer.append(toAuditLine(observation, new Date()));
      }
    },
    async close(deadline) {
      await writer.close(deadline);
    },
  };
}

/** One audit line without its end. The hash is SHA-256 of the whole text in UTF-8. */
export function toAuditLine(statement: StatementFinished, finishedAt: Date): string {
  const { session, text, commandTags, limit } = statement;
  const textBytes = Buffer.byteLength(text);
  return toJsonLine({
    ts: finishedAt.toISOString(),
    event: 'statement',
    ...toSessionFields(session),
    protocol: session.listener === HTTP_DOOR ? 'rest' : 'simple',
    text: cutUtf8(text, AUDIT_TEXT_BYTES_MAX),
    text_sha256: hash('sha256', text),
    text_len: textBytes,
    command_tags: commandTags.slice(0, AUDIT_COMMAND_TAGS_MAX).map(cutTag),
    rows: statement.rows,
    bytes: statement.bytes,
    duration_ms: roundMs(statement.durationMs),
    outcome: statement.outcome,
    sqlstate: statement.sqlState ?? null,
    truncated: limit !== undefined,
    limit: limit ?? null,
  });
}

function cutTag(tag: string): string {
  return cutText(tag, COMMAND_TAG_LENGTH_MAX);
}
