// What a startup packet's parameters ask for. Pure: the names are PostgreSQL's.
import type { Setting, Startup } from '../src/backends/backend.ts';
import { ServiceError, SQLSTATE } from '../src/errors.ts';
import { OWN_SETTING_PREFIX } from '../src/guardrails/limits.ts';

/** Parameters that are no run-time settings. */
const RESERVED = new Set(['user', 'database', 'options', 'replication', 'application_name']);

/** Protocol options begin so; NegotiateProtocolVersion says which are not known. */
const PROTOCOL_OPTION_PREFIX = '_pq_.';

/** Longest user, database and application name that is kept; PostgreSQL's own end at 63 bytes. */
const NAME_LENGTH_MAX = 256;

export interface StartupParameters {
  readonly startup: Startup;
  /** Settings for Gatepost itself. */
  readonly ownSettings: readonly Setting[];
  readonly protocolOptions: readonly string[];
}

/**
 * Takes the parameters apart. Run-time settings keep their order, those of `options` first, since
 * a parameter of its own wins over `options` in PostgreSQL.
 *
 * @throws ServiceError FATAL 28000 without a user, 0A000 for replication, 42601 for an `options`
 *   that PostgreSQL would not read
 */
export function readStartupParameters(
  parameters: readonly Setting[],
  address: string,
): StartupParameters {
  const named = new Map(parameters);
  const user = named.get('user') ?? '';
  if (user === '') {
    throw new ServiceError(
      SQLSTATE.invalidAuthorization,
      'no PostgreSQL user name specified in startup packet',
      { severity: 'FATAL' },
    );
  }
  refuseReplication(named.get('replication'));
  const database = named.get('database') ?? '';
  const settings = [
    ...parseOptions(named.get('options') ?? ''),
    ...parameters.filter(
      ([name]) => !RESERVED.has(name) && !name.startsWith(PROTOCOL_OPTION_PREFIX),
    ),
  ];
  return {
    startup: {
      user: user.slice(0, NAME_LENGTH_MAX),
      database: database === '' || database === user ? undefined : database,
      applicationName: (named.get('application_name') ?? '').slice(0, NAME_LENGTH_MAX),
      address,
      settings: settings.filter((setting) => !isOwn(setting)),
    },
    ownSettings: settings.filter(isOwn),
    protocolOptions: parameters
      .map(([name]) => name)
      .filter((name) => name.startsWith(PROTOCOL_OPTION_PREFIX)),
  };
}

function isOwn([name]: Setting): boolean {
  return name.toLowerCase().startsWith(OWN_SETTING_PREFIX);
}

/** A replication connection could read everything and no statement policy would see it. */
function refuseReplication(value: string | undefined): void {
  if (value === undefined || /^(false|off|no|0|f|n)$/i.test(value)) {
    return;
  }
  throw new ServiceError(
    SQLSTATE.featureNotSupported,
    'Replication connections are not supported through Gatepost',
    { severity: 'FATAL', hint: 'Connect to the server directly for replication' },
  );
}

/**
 * Splits `options` as a server's command line: blanks separate, a backslash keeps the next
 * character. Read are `-c name=value`, `-cname=value` and `--name=value`.
 */
export function parseOptions(options: string): Setting[] {
  const words = splitWords(options);
  const settings: Setting[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    if (word === '-c') {
      index += 1;
    }
    settings.push(parseSwitch(word, word === '-c' ? (words[index] ?? '') : undefined));
  }
  return settings;
}

function parseSwitch(word: string, argument: string | undefined): Setting {
  const assignment = argument ?? /^(?:-c|--)(.+)$/s.exec(word)?.[1] ?? '';
  const equals = assignment.indexOf('=');
  if (equals < 1) {
    throw new ServiceError(
      SQLSTATE.syntaxError,
      `invalid command-line argument for server process: ${word}`,
      { severity: 'FATAL', hint: 'Options are written as -c name=value' },
    );
  }
  // As PostgreSQL does: a dash in the name of a long switch stands for an underscore.
  return [assignment.slice(0, equals).replaceAll('-', '_'), assignment.slice(equals + 1)];
}

/** Blanks are those of ASCII; a backslash with nothing behind it makes a word, but says nothing. */
function splitWords(options: string): string[] {
  const words = options.match(/(?:\\.|\\$|[^ \t\n\v\f\r\\])+/gs) ?? [];
  return words.map((word) => word.replaceAll(/\\(.|$)/gs, '$1'));
}
