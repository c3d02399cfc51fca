import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import createModule from 'libpg-query/wasm/libpg-query.js';
import type { PgQueryModule } from 'libpg-query/wasm/libpg-query.js';
import { countRescannedCharacters } from './sql-lexer-cost.ts';

/** Instances kept ready: the one in use and the one that takes over when it is retired. */
const READY_INSTANCES = 2;

/**
 * An instance never gives memory back, and a text takes some 300 times its length. So one that
 * has read a longer text than this is retired; a new one costs 2 ms, the text cost 20 ms or more.
 */
const SMALL_TEXT_BYTES_MAX = 64 * 1024;

/** Some 16 ms; a run of 2 000 plus signs is just within it. */
const RESCANNED_CHARACTERS_MAX = 4_000_000;

/** Of an error, in UTF-16 units: enough for any sentence of the grammar and a long name. */
const MESSAGE_LENGTH_MAX = 250;

/** The text is no SQL, in PostgreSQL's own words. */
export class SqlSyntaxError extends Error {
  /** Where, as a character of the text counted from 1, when the grammar says where. */
  readonly position: number | undefined;

  constructor(message: string, position: number | undefined) {
    super(message);
    this.name = 'SqlSyntaxError';
    this.position = position;
  }
}

/** The text may be SQL, but it needs more stack, memory or time than the parser may take. */
export class SqlTooComplexError extends Error {
  /** What the user can do about it. */
  readonly hint: string;

  constructor(message: string, { hint = SIMPLIFY, ...options }: TooComplexOptions = {}) {
    super(message, options);
    this.name = 'SqlTooComplexError';
    this.hint = hint;
  }
}

interface TooComplexOptions extends ErrorOptions {
  readonly hint?: string;
}

const SIMPLIFY = 'Break up long chains of operators, UNION or nested queries';

/**
 * PostgreSQL's grammar as WebAssembly. A text that overflows the stack leaves an instance with
 * unwound frames on its own stack: some thirty of them and it answers with broken memory. So an
 * instance is retired at its first fault, and another one takes over.
 */
export class SqlParser {
  readonly #code: WebAssembly.Module;
  readonly #ready: PgQueryModule[] = [];
  #isRefilling = false;

  private constructor(code: WebAssembly.Module) {
    this.#code = code;
  }

  /** Compiles the grammar and has the first instances ready. */
  static async create(): Promise<SqlParser> {
    compiled ??= compile();
    const parser = new SqlParser(await compiled);
    await parser.#fill();
    return parser;
  }

  /**
   * The raw syntax tree of all statements of a text.
   *
   * @param text UTF-8 without a NUL; the caller has checked both
   * @throws SqlSyntaxError, SqlTooComplexError and nothing else
   */
  parse(text: Uint8Array): unknown {
    const instance = this.#ready[0];
    if (instance === undefined) {
      this.#refill();
      throw new SqlTooComplexError('The SQL parser is recovering from earlier queries', {
        hint: 'Send the query again',
      });
    }
    if (countRescannedCharacters(text) > RESCANNED_CHARACTERS_MAX) {
      throw new SqlTooComplexError('The query has too many operator characters in a row');
    }
    try {
      return parseWith(instance, text);
    } catch (thrown) {
      if (thrown instanceof SqlSyntaxError || thrown instanceof SqlTooComplexError) {
        throw thrown;
      }
      this.#retire(instance);
      throw new SqlTooComplexError('The query is too complex for the SQL parser', {
        cause: thrown,
      });
    } finally {
      if (text.length > SMALL_TEXT_BYTES_MAX) {
        this.#retire(instance);
      }
    }
  }

  #retire(instance: PgQueryModule): void {
    if (this.#ready[0] === instance) {
      this.#ready.shift();
      this.#refill();
    }
  }

  // Takes microtasks only, as the code is compiled: the next event of any socket finds it done.
  // When it fails, `parse` finds none ready, refuses, and tries again.
  #refill(): void {
    if (this.#isRefilling) {
      return;
    }
    this.#isRefilling = true;
    this.#fill().then(
      () => (this.#isRefilling = false),
      () => (this.#isRefilling = false),
    );
  }

  async #fill(): Promise<void> {
    while (this.#ready.length < READY_INSTANCES) {
      this.#ready.push(await createInstance(this.#code));
    }
  }
}

/** The grammar's code, once for all listeners. */
let compiled: Promise<WebAssembly.Module> | undefined;

async function compile(): Promise<WebAssembly.Module> {
  const path = createRequire(import.meta.url).resolve('libpg-query/wasm/libpg-query.wasm');
  return await WebAssembly.compile(await readFile(path));
}

async function createInstance(code: WebAssembly.Module): Promise<PgQueryModule> {
  return await createModule({
    instantiateWasm(imports, receive) {
      const instance = new WebAssembly.Instance(code, imports);
      receive(instance);
      return instance.exports;
    },
    print: () => undefined,
    printErr: () => undefined,
  });
}

// The bytes go in as they came, so that the text parsed is the text that goes upstream.
function parseWith(instance: PgQueryModule, text: Uint8Array): unknown {
  const address = instance._malloc(text.length + 1);
  assert.notEqual(address, 0, 'The parser has no memory for the text');
  instance.HEAPU8.set(text, address);
  instance.HEAPU8[address + text.length] = 0;
  const result = instance._wasm_parse_query_raw(address);
  try {
    const [tree, , error] = readAddresses(instance, result, 3);
    if (error !== undefined && error !== 0) {
      throw readError(instance, error);
    }
    assert.ok(tree, 'The parser gave neither a tree nor an error');
    const json: unknown = JSON.parse(instance.UTF8ToString(tree));
    return json;
  } finally {
    instance._free(address);
    instance._wasm_free_parse_result(result);
  }
}

// PgQueryError of libpg_query: message, function, file, line, cursor position (0 for none).
function readError(instance: PgQueryModule, error: number): Error {
  const [message = 0, , , , position = 0] = readAddresses(instance, error, 5);
  const sentence = instance.UTF8ToString(message);
  if (/^(memory exhausted|out of memory|stack depth limit exceeded)/.test(sentence)) {
    return new SqlTooComplexError(cut(sentence));
  }
  return new SqlSyntaxError(cut(sentence), position === 0 ? undefined : position);
}

// The message quotes a token of the text, which may be all of it.
function cut(message: string): string {
  return message.length > MESSAGE_LENGTH_MAX
    ? `${message.slice(0, MESSAGE_LENGTH_MAX - 1)}…`
    : message;
}

function readAddresses(instance: PgQueryModule, address: number, count: number): Uint32Array {
  return instance.HEAPU32.slice(address / 4, address / 4 + count);
}
