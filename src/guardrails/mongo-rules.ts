import { ServiceError, SQLSTATE } from '../errors.ts';
import { nearestName } from '../nearest-name.ts';
import { COMMAND_WORDS, commandNamed, PIPELINE_COMMANDS } from './mongo-commands.ts';
import { STAGE_WORDS, stageNamed } from './mongo-stages.ts';

/**
 * The words of a list in the manual's spelling, synonyms resolved: a command (`drop`), a stage of
 * a command (`aggregate:$out`), or a stage of any command (`$out`). Capitals do not matter.
 *
 * @param setting WIRE_MONGODB_ALLOW or WIRE_MONGODB_DENY, for the error
 * @throws ServiceError 22023 for a word that names neither a command nor a stage
 */
export function parseMongoRuleWords(
  setting: string,
  words: readonly string[],
): ReadonlySet<string> {
  return new Set(words.map((word) => parseRuleWord(setting, word)));
}

function parseRuleWord(setting: string, word: string): string {
  const written = word.replaceAll(/\s+/g, '');
  const [name = '', stage, ...rest] = written.split(':');
  const known = rest.length > 0 ? undefined : resolveWord(name, stage);
  if (known !== undefined) {
    return known;
  }
  throw new ServiceError(
    SQLSTATE.invalidParameterValue,
    `${setting} names ${JSON.stringify(word)}, which is no command and no stage of one`,
    { hint: `The nearest is ${nearestWord(name, stage)}; wire/README.md says what lists may name` },
  );
}

function resolveWord(name: string, stage: string | undefined): string | undefined {
  if (stage === undefined) {
    return commandNamed(name) ?? stageNamed(name);
  }
  const command = commandNamed(name);
  const known = stageNamed(stage);
  const isPair = known !== undefined && command !== undefined && PIPELINE_COMMANDS.has(command);
  return isPair ? `${command}:${known}` : undefined;
}

function nearestWord(name: string, stage: string | undefined): string {
  if (stage === undefined) {
    return nearest(name, name.startsWith('$') ? STAGE_WORDS : COMMAND_WORDS);
  }
  return `${nearest(name, [...PIPELINE_COMMANDS])}:${nearest(stage, STAGE_WORDS)}`;
}

function nearest(written: string, candidates: readonly string[]): string {
  const folded = new Map(candidates.map((candidate) => [candidate.toLowerCase(), candidate]));
  return folded.get(nearestName(written.toLowerCase(), [...folded.keys()]) ?? '') ?? '';
}
