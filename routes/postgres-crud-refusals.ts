// Values that only the server can judge, and has refused: of the body (422, with the fields that
// it is about), or of the path and the query string (400).
import type { Condition } from '../src/backends/postgres/crud-conditions.ts';
import { judgeValues, readJudgement } from '../src/backends/postgres/crud-judgement.ts';
import type { JudgedValue } from '../src/backends/postgres/crud-judgement.ts';
import type { CrudStatement } from '../src/backends/postgres/crud-parameters.ts';
import { estimateRows } from '../src/backends/postgres/crud-select.ts';
import type { CrudTable } from '../src/backends/postgres/crud-table.ts';
import type { Assignment } from '../src/backends/postgres/crud-write.ts';
import { isValueRefusal } from './postgres-crud-database.ts';
import type { Answer, Call, CrudDatabase } from './postgres-crud-database.ts';
import type { FieldProblem } from './request-error.ts';
import { StatementProblem } from './statement-problem.ts';

/** A value of the body, and where it stands. */
export interface BodyValue extends JudgedValue {
  readonly field: string;
}

/** A statement that writes, and the values in it by where the client has said them. */
export interface Write {
  readonly table: CrudTable;
  readonly statement: CrudStatement;
  /** Rows that it can return. */
  readonly rowsMax: number;
  /** Of the path or the query string. */
  readonly conditions: readonly Condition[];
  readonly values: readonly BodyValue[];
}

/** What an object of the body assigns; defaults and NULL are no values to be judged. */
export function bodyValues(assignments: readonly Assignment[], path = ''): readonly BodyValue[] {
  return assignments.flatMap(({ column, value }) =>
    typeof value === 'string' ? [{ field: `${path}${column.name}`, column, value }] : [],
  );
}

/**
 * Runs a statement that writes.
 *
 * @throws StatementProblem 400 or 422 where the server refuses a value
 */
export async function writeRows(call: Call, database: CrudDatabase, write: Write): Promise<Answer> {
  try {
    return await database.write(call, write);
  } catch (thrown) {
    throw await explainRefusal(thrown, { call, database, write });
  }
}

interface Refused {
  readonly call: Call;
  readonly database: CrudDatabase;
  readonly write: Write;
}

/** Nothing was written: the statement's own error does not say whose value it is about. */
async function explainRefusal(thrown: unknown, refused: Refused): Promise<unknown> {
  if (!isValueRefusal(thrown)) {
    return thrown;
  }
  const { values } = refused.write;
  const ofAddress = await findAddressProblem(refused);
  if (ofAddress !== undefined || values.length === 0) {
    return ofAddress ?? thrown;
  }
  return new StatementProblem(thrown, { status: 422, fields: await findFields(refused) });
}

/** What a search for the same rows is refused with, without reading any. */
async function findAddressProblem({
  call,
  database,
  write: { table, conditions },
}: Refused): Promise<StatementProblem | undefined> {
  if (conditions.length === 0) {
    return undefined;
  }
  try {
    await database.look(call, estimateRows(table, conditions));
    return undefined;
  } catch (thrown) {
    // Any other error is not what the client has to be told of.
    return thrown instanceof StatementProblem ? thrown : undefined;
  }
}

async function findFields({
  call,
  database,
  write: { table, values },
}: Refused): Promise<readonly FieldProblem[]> {
  const rows = await database.judge(call, judgeValues(table, values));
  return rows.map(readJudgement).map(({ index, message }) => ({
    field: values[index]?.field ?? '',
    message,
  }));
}
