// Which databases a list of them shows: the server itself leaves the others out.
import type { MongoDatabaseRules } from '../../guardrails/mongo-databases.ts';
import type { Command } from './plan.ts';

/** A listDatabases that shows only what may be used; any other command as it is. */
export function narrowListing(
  command: Command,
  { databases, hiddenDatabase }: MongoDatabaseRules,
): Command {
  const conditions = [
    ...(databases === undefined ? [] : [{ name: { $in: databases } }]),
    ...(hiddenDatabase === undefined ? [] : [{ name: { $ne: hiddenDatabase } }]),
  ];
  if (!('listDatabases' in command) || conditions.length === 0) {
    return command;
  }
  const own = [command['filter']].filter((filter) => filter !== undefined && filter !== null);
  return { ...command, filter: { $and: [...own, ...conditions] } };
}
