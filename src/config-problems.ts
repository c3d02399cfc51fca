import { types } from 'node:util';
import { toErrorCode } from './error-code.ts';

/** Why a start is refused: the message has one line for each problem, and no secrets. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** How much of a refused value is shown; what is wrong with it shows long before. */
const ECHO_CHARACTERS_MAX = 80;

/**
 * A refused value on one line. Whatever looks like a connection string is cut off after its
 * scheme, because people put those, passwords included, where only a host belongs.
 */
export function echo(text: string): string {
  const visible = text.replace(/:\/\/.*$/s, '://***');
  const isLong = visible.length > ECHO_CHARACTERS_MAX;
  return JSON.stringify(isLong ? `${visible.slice(0, ECHO_CHARACTERS_MAX)}…` : visible);
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
};

/** Why a file cannot be read, in words that do not repeat its path. */
export function explainReadFailure(error: unknown): string {
  const code = toErrorCode(error);
  if (code !== undefined) {
    return REASONS[code] ?? code;
  }
  return types.isNativeError(error) ? error.message : 'unknown error';
}
