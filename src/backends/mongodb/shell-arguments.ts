// Reads the arguments of one call, and says which is wrong.
import { ShellSyntaxError } from './shell-error.ts';
import type { ShellDocument } from './shell-values.ts';

/** Arguments of a method; every reader names the method and the place when it refuses. */
export class Arguments {
  readonly method: string;
  readonly offset: number;
  readonly #values: readonly unknown[];

  /** @throws ShellSyntaxError when there are fewer or more than these */
  constructor(
    method: string,
    { args, offset }: { readonly args: readonly unknown[]; readonly offset: number },
    { min = 0, max }: { readonly min?: number; readonly max: number },
  ) {
    this.method = method;
    this.offset = offset;
    this.#values = args;
    if (args.length < min || args.length > max) {
      const wanted = min === max ? `${max}` : `${min} to ${max}`;
      throw new ShellSyntaxError(
        `${method}() takes ${wanted} arguments, and has ${args.length}`,
        offset,
        { hint: 'db.help() and db.collection.help() list the methods' },
      );
    }
  }

  get length(): number {
    return this.#values.length;
  }

  any(index: number): unknown {
    return this.#values[index];
  }

  /** A document; an empty one where there is none. */
  document(index: number): ShellDocument {
    const value = this.#values[index] ?? new Map();
    if (!(value instanceof Map)) {
      throw this.wrong(index, 'a document');
    }
    return new Map<string, unknown>(value);
  }

  optionalDocument(index: number): ShellDocument | undefined {
    return this.#values[index] === undefined ? undefined : this.document(index);
  }

  array(index: number): readonly unknown[] {
    const value = this.#values[index];
    if (!Array.isArray(value)) {
      throw this.wrong(index, 'an array');
    }
    return Array.from<unknown>(value);
  }

  string(index: number): string {
    const value = this.#values[index];
    if (typeof value !== 'string') {
      throw this.wrong(index, 'a string');
    }
    return value;
  }

  number(index: number): number {
    const value = this.#values[index];
    const number = typeof value === 'number' ? value : Number(String(value));
    if (value === undefined || value === '' || !Number.isFinite(number)) {
      throw this.wrong(index, 'a number');
    }
    return number;
  }

  boolean(index: number, fallback: boolean): boolean {
    const value = this.#values[index] ?? fallback;
    if (typeof value !== 'boolean') {
      throw this.wrong(index, 'true or false');
    }
    return value;
  }

  /**
   * An options document as fields of a command.
   *
   * @param known names as the shell has them, with those of the command where they differ
   */
  options(index: number, known: Readonly<Record<string, string>>): Record<string, unknown> {
    return pickOptions(this.document(index), known, this);
  }

  wrong(index: number, wanted: string): ShellSyntaxError {
    return new ShellSyntaxError(
      `Argument ${index + 1} of ${this.method}() must be ${wanted}`,
      this.offset,
      { hint: 'db.help() and db.collection.help() list the methods' },
    );
  }
}

/** @throws ShellSyntaxError for an option that the method does not have */
export function pickOptions(
  options: ReadonlyMap<string, unknown>,
  known: Readonly<Record<string, string>>,
  { method, offset }: { readonly method: string; readonly offset: number },
): Record<string, unknown> {
  const picked: Record<string, unknown> = {};
  for (const [name, value] of options) {
    const field = Object.hasOwn(known, name) ? known[name] : undefined;
    if (field === undefined) {
      throw new ShellSyntaxError(`${method}() has no option ${name}`, offset, {
        hint: `It has ${Object.keys(known).join(', ')}`,
      });
    }
    picked[field] = value;
  }
  return picked;
}

/** Options that have the same name in the command. */
export function sameNames(names: string): Readonly<Record<string, string>> {
  return Object.fromEntries(names.split(' ').map((name) => [name, name]));
}
