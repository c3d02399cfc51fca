// What an SQL statement comes to.
import type { Notice, Setting } from '../backend.ts';
import { ServiceError, SQLSTATE } from '../../errors.ts';

/** Type OIDs (PostgreSQL's pg_type.dat) of the columns that are answered. */
export const TYPE_OID = { boolean: 16, name: 19, bigint: 20, integer: 23, text: 25, oid: 26 };

/** SQLSTATEs that only these statements raise, by their names in PostgreSQL's manual. */
export const SQL_STATE = {
  activeTransaction: '25001',
  noActiveTransaction: '25P01',
  invalidRegularExpression: '2201B',
  undefinedObject: '42704',
  cannotChangeRuntimeParameter: '55P02',
};

export interface SqlColumn {
  readonly name: string;
  readonly typeOid: number;
}

export type SqlRow = readonly (string | null)[];

/** Result of one SQL statement. */
export interface SqlAnswer {
  /** Absent where there is no result, as of SET. */
  readonly columns?: readonly SqlColumn[];
  readonly rows?: readonly SqlRow[];
  readonly commandTag: string;
  readonly notices?: readonly Notice[];
  /** To be sent as ParameterStatus. */
  readonly parameters?: readonly Setting[];
}

/** Rows of a SELECT or SHOW, with their tag. */
export function rowsAnswer(columns: readonly SqlColumn[], rows: readonly SqlRow[]): SqlAnswer {
  return { columns, rows, commandTag: `SELECT ${rows.length}` };
}

/** A statement outside of the closed set that has answers. */
export function sqlRefusal(position: number): ServiceError {
  return new ServiceError(
    SQLSTATE.syntaxError,
    'This port speaks the language of the MongoDB shell, not SQL',
    { position: position + 1, hint: 'Write db.people.find({}) for example, or type help' },
  );
}

export function warning(sqlState: string, message: string, detail?: string): Notice {
  return { severity: 'WARNING', sqlState, message, detail };
}
