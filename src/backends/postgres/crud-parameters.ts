import type { SqlStatement } from '../pool.ts';
import type { TableColumn } from './crud-table.ts';

/** The values of one statement: each gets its `$n`, with the type that the catalog says. */
export class SqlParameters {
  readonly #values: (string | null)[] = [];

  /** @returns the placeholder that stands for the value in the text */
  bind(value: string | null, { sqlType }: Pick<TableColumn, 'sqlType'>): string {
    this.#values.push(value);
    return `$${this.#values.length}::${sqlType}`;
  }

  /** The same for a value that the column is compared with. */
  bindCompared(value: string | null, { comparedAs }: Pick<TableColumn, 'comparedAs'>): string {
    return this.bind(value, { sqlType: comparedAs });
  }

  /** @param read the table that is only read, where that is all */
  toStatement(text: string, read?: { readonly isPlain: boolean }): CrudStatement {
    const isPlainRead = read?.isPlain ?? false;
    return { text, parameters: this.#values, isOwn: true, isPlainRead };
  }
}

/** A statement whose text holds nothing that a client wrote. */
export interface CrudStatement extends SqlStatement {
  readonly parameters: readonly (string | null)[];
  readonly isOwn: true;
  readonly isPlainRead: boolean;
}

/** For what is compared as text, whatever it is. */
export const TEXT = { sqlType: 'pg_catalog.text' };
