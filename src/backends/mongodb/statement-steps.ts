// A text of statements as what is to be run: nothing runs until all of it is understood and
// admitted.
import type { ServiceError } from '../../errors.ts';
import type { MongoPolicy } from '../../guardrails/mongo-policy.ts';
import type { Plan } from './plan.ts';
import { shiftPosition, ShellSyntaxError, toClientError } from './shell-error.ts';
import { parseShell } from './shell-parser.ts';
import { planStatement } from './shell-planner.ts';

/** A statement that is ready to run. */
export type Step =
  | { readonly plan: Plan }
  /** SQL as clients send it by themselves; `shift` moves a position into the whole text. */
  | { readonly sql: string; readonly shift: (error: ServiceError) => ServiceError };

export interface StepContext {
  readonly database: string;
  readonly policy: MongoPolicy;
}

/** @throws ServiceError 42601, 0A000, or what the policy says */
export function prepareSteps(text: string, { database: current, policy }: StepContext): Step[] {
  try {
    let database = current;
    return parseShell(text).map((statement) => {
      if (statement.kind === 'sql') {
        const { offset } = statement;
        return { sql: statement.text, shift: (error) => shiftPosition(error, text, offset) };
      }
      const plan = planStatement(statement, database);
      database = plan.database ?? database;
      assertAdmitted(plan, policy);
      return { plan };
    });
  } catch (error) {
    throw error instanceof ShellSyntaxError ? toClientError(error, text) : error;
  }
}

/** @throws ServiceError what the policy says of the first command that it refuses */
export function assertAdmitted({ operations }: Plan, policy: MongoPolicy): void {
  for (const { command, database } of operations) {
    const refusal = policy.admit(command, database);
    if (refusal !== undefined) {
      throw refusal;
    }
  }
}
