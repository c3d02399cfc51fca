import { once } from 'node:events';
import type { Writable } from 'node:stream';
import winston from 'winston';
import { toJsonLine } from './json-line.ts';
import { toLogEntry } from './log-entry.ts';
import type { LogEntry, LogLevel } from './log-entry.ts';
import type { Observation, Observer } from './observation.ts';

/** What may wait for a slow reader of the log; past it lines are counted instead of kept. */
export const LOG_BUFFER_BYTES_MAX = 1024 * 1024;

/** A reader that takes nothing must not hold up the end of the service. */
const CLOSE_TIMEOUT_MS = 1000;

/** What happens with every statement and every batch of messages. */
const FREQUENT_KINDS: ReadonlySet<Observation['kind']> = new Set([
  'statement-finished',
  'connector-batch',
]);

const LEVELS: Readonly<Record<LogLevel, number>> = { error: 0, warn: 1, info: 2, debug: 3 };

/** A line of the log on its second way. */
export interface LogLine extends LogEntry {
  readonly at: Date;
  readonly event: string;
  /** Of whose session or request it tells, as SessionIdentity has it. */
  readonly owner: string | undefined;
}

/** Where lines go besides; must not block and must not throw. */
export interface LogSink {
  append(line: LogLine): void;
}

interface LoggerOptions {
  readonly level: LogLevel;
  /** Standard error unless said. */
  readonly stream?: Writable;
}

interface Logger extends Observer {
  /** From now on the sink is given each line that passes the level, however slow the stream is. */
  attach(sink: LogSink): void;
  /** Resolves when every line has been handed over, or after a second at the latest. */
  close(): Promise<void>;
}

/**
 * An Observer that writes JSON lines. They always go to standard error, never to standard output:
 * that one is free for the audit (`AUDIT_FILE=-`) and for what commands print.
 */
export function createLogger({ level, stream = process.stderr }: LoggerOptions): Logger {
  return new WinstonLogger(level, stream);
}

class WinstonLogger implements Logger {
  readonly #rank: number;
  readonly #stream: Writable;
  readonly #winston: winston.Logger;
  /** Backends by their last known state: only a change is worth a line. */
  readonly #backendsUp = new Map<string, boolean>();
  #sink: LogSink | undefined;
  #lostLines = 0;
  #isClosed = false;

  constructor(level: LogLevel, stream: Writable) {
    this.#rank = LEVELS[level];
    this.#stream = stream;
    // A reader that has gone away must not end the service: there is nowhere left to report it.
    stream.on('error', ignore);
    this.#winston = winston.createLogger({
      level,
      levels: LEVELS,
      format: winston.format.printf(toJsonLine),
    });
    this.#winston.pipe(new winston.transports.Stream({ stream, eol: '\n' }));
  }

  observe(observation: Observation): void {
    // Most observations are for debugging: they are left before anything is built for them.
    if (this.#isClosed || (FREQUENT_KINDS.has(observation.kind) && !this.#isDebug)) {
      return;
    }
    if (observation.kind === 'backend-probed' && !this.#isChange(observation)) {
      return;
    }
    this.#write(observation, toLogEntry(observation));
  }

  attach(sink: LogSink): void {
    this.#sink = sink;
  }

  async close(): Promise<void> {
    if (this.#isClosed) {
      return;
    }
    this.#isClosed = true;
    const timeout = AbortSignal.timeout(CLOSE_TIMEOUT_MS);
    const finished = once(this.#winston, 'finish', { signal: timeout });
    this.#winston.end();
    await finished.catch(ignore);
    await flush(this.#stream, timeout);
  }

  get #isDebug(): boolean {
    return this.#rank >= LEVELS.debug;
  }

  #isChange({ backend, isUp }: { readonly backend: string; readonly isUp: boolean }): boolean {
    const isChange = this.#backendsUp.get(backend) !== isUp;
    this.#backendsUp.set(backend, isUp);
    return isChange;
  }

  #write(observation: Observation, entry: LogEntry): void {
    if (LEVELS[entry.level] > this.#rank) {
      return;
    }
    const event = observation.kind;
    this.#sink?.append({ ...entry, at: new Date(), event, owner: ownerOf(observation) });
    if (this.#stream.writableLength > LOG_BUFFER_BYTES_MAX) {
      this.#lostLines += 1;
      return;
    }
    if (this.#lostLines > 0) {
      const fields = { lines: this.#lostLines };
      this.#lostLines = 0;
      this.#log('log-lost', { level: 'warn', message: 'Log lines lost: slow reader', fields });
    }
    this.#log(event, entry);
  }

  #log(event: string, { level, message, fields }: LogEntry): void {
    this.#winston.log({ ts: new Date().toISOString(), level, event, message, ...fields });
  }
}

function ownerOf(observation: Observation): string | undefined {
  if ('session' in observation) {
    return observation.session.owner;
  }
  return 'owner' in observation ? observation.owner : undefined;
}

/** Resolves when the stream has handed over what it holds, has failed or the signal aborts. */
async function flush(stream: Writable, signal: AbortSignal): Promise<void> {
  if (signal.aborted || stream.destroyed) {
    return;
  }
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
    stream.write('', () => resolve());
  });
}

function ignore(): void {
  // See where it is given.
}
