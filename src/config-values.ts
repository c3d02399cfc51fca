import * as z from 'zod';

/** How one kind of value is written, in flags, the environment and the file alike. */
export interface TextType<T> {
  /** From text to value; its issues say why not, and what is accepted. */
  readonly schema: z.ZodType<T, string>;
  /** What is accepted, as errors, `--help` and `.env.example` say it. */
  readonly accepted: string;
  /** What stands for the value in `--help`. */
  readonly argument: string;
}

interface TextTypeOptions<T> {
  readonly argument: string;
  readonly accepted: string;
  readonly parse: (text: string) => T | undefined;
  /** What is wrong with a refused text, where more can be said than what is accepted. */
  readonly explain?: (text: string) => string | undefined;
}

/** A type of text from what parses it and what says why not. */
export function textType<T>({
  argument,
  accepted,
  parse,
  explain,
}: TextTypeOptions<T>): TextType<T> {
  const schema = z.string().transform((text, context): T => {
    const value = parse(text);
    if (value !== undefined) {
      return value;
    }
    const reason = explain?.(text);
    const message = `accepted is ${accepted}`;
    context.addIssue({
      code: 'custom',
      message: reason === undefined ? message : `${reason}; ${message}`,
    });
    return z.NEVER;
  });
  return { schema, accepted, argument };
}

/** The units of time; a bare number is refused, because seconds and milliseconds get mixed up. */
const MILLISECONDS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Node's timers end at 2^31 - 1 ms, which is 24.8 days; beyond it they would fire at once. */
const DURATION_DAYS_MAX = 24;

/** A duration such as `500ms`, `30s`, `15m`, `1h`, in milliseconds. */
export const duration: TextType<number> = textType({
  argument: 'duration',
  accepted: `a whole number with ms, s, m, h or d, from 1ms to ${DURATION_DAYS_MAX}d`,
  parse: (text) => {
    const ms = parseQuantity(text, MILLISECONDS);
    const isInRange = ms >= 1 && ms <= DURATION_DAYS_MAX * MILLISECONDS.d;
    return isInRange ? ms : undefined;
  },
  explain: explainBareNumber,
});

/** Ten years: beyond it nobody means a time to live. */
const PERIOD_DAYS_MAX = 3650;

/** A time to live such as `12h` or `30d`, in milliseconds; no timer of ours waits for it. */
export const period: TextType<number> = textType({
  argument: 'duration',
  accepted: `a whole number with s, m, h or d, from 1s to ${PERIOD_DAYS_MAX}d`,
  parse: (text) => {
    const ms = parseQuantity(text, MILLISECONDS);
    const isInRange = ms >= MILLISECONDS.s && ms <= PERIOD_DAYS_MAX * MILLISECONDS.d;
    return isInRange && ms % MILLISECONDS.s === 0 ? ms : undefined;
  },
  explain: explainBareNumber,
});

const KIB = 1024;

/** PostgreSQL's own units, which count by 1024; the IEC spellings mean the same. */
const BYTES: Readonly<Record<string, number>> = {
  b: 1,
  kb: KIB,
  kib: KIB,
  mb: KIB ** 2,
  mib: KIB ** 2,
  gb: KIB ** 3,
  gib: KIB ** 3,
  tb: KIB ** 4,
  tib: KIB ** 4,
};

/** A size such as `64kB` or `100MB`, in bytes. */
export const size: TextType<number> = textType({
  argument: 'size',
  accepted: 'a whole number with B, kB, MB, GB or TB (1kB is 1024 bytes), from 1B to 1TB',
  parse: (text) => {
    const bytes = parseQuantity(text.toLowerCase(), BYTES);
    const isInRange = bytes >= 1 && bytes <= KIB ** 4;
    return isInRange ? bytes : undefined;
  },
  explain: explainBareNumber,
});

/** The quantity in its smallest unit; NaN when the text is not a whole number with a unit. */
function parseQuantity(text: string, units: Readonly<Record<string, number>>): number {
  const [, digits = '', unit = ''] = /^(\d+) ?([a-z]+)$/.exec(text.trim()) ?? [];
  return Object.hasOwn(units, unit) ? Number(digits) * (units[unit] ?? NaN) : NaN;
}

function explainBareNumber(text: string): string | undefined {
  return /^[\d_.]+$/.test(text.trim()) ? 'a bare number does not say its unit' : undefined;
}

/** A whole number such as `10000` or `10_000`. */
export function count(max: number): TextType<number> {
  return textType({
    argument: 'count',
    accepted: `a whole number from 1 to ${max}`,
    parse: (text) => parseWhole(text, 1, max),
  });
}

/** A whole number from `min` to `max`. */
export function wholeNumber(min: number, max: number): TextType<number> {
  return textType({
    argument: 'number',
    accepted: `a whole number from ${min} to ${max}`,
    parse: (text) => parseWhole(text, min, max),
  });
}

/** A whole number where 0 switches off what it bounds. */
export function countOrNone(max: number): TextType<number> {
  return textType({
    argument: 'count',
    accepted: `a whole number from 0 to ${max} (0 is no limit)`,
    parse: (text) => parseWhole(text, 0, max),
  });
}

/** The number that a text writes; undefined when it is none, or out of range. */
export function parseWhole(text: string, min: number, max: number): number | undefined {
  const digits = text.trim();
  const number = /^\d+(_\d+)*$/.test(digits) ? Number(digits.replaceAll('_', '')) : NaN;
  return number >= min && number <= max ? number : undefined;
}

/** One of a few words; capitals do not matter. */
export function choice<const T extends string>(words: readonly T[]): TextType<T> {
  return textType({
    argument: words.join('|'),
    accepted: words.join(' or '),
    parse: (text) => words.find((word) => word === text.trim().toLowerCase()),
  });
}

/** `true` or `false`. */
export const flag: TextType<boolean> = textType({
  argument: 'true|false',
  accepted: 'true or false',
  parse: (text) =>
    new Map([
      ['true', true],
      ['false', false],
    ]).get(text.trim().toLowerCase()),
});

/** Words separated by commas, upper-cased, blanks folded, each once. */
export const wordList: TextType<readonly string[]> = textType({
  argument: 'list',
  accepted: 'statement kinds separated by commas, such as DROP, TRUNCATE',
  parse: (text) => {
    const words = text.split(',').map((word) => word.trim().replace(/\s+/g, ' ').toUpperCase());
    return words.includes('') ? undefined : [...new Set(words)];
  },
  explain: () => 'an entry is empty',
});

/** `find`, `$out`, or `aggregate:$out`: a command, a stage of any, a stage of one. */
const COMMAND = /^([a-z_]\w*|([a-z_]\w*:)?\$[a-z_]\w*)$/i;

/** MongoDB commands and stages separated by commas, each once; the policy knows their names. */
export const commandList: TextType<readonly string[]> = textType({
  argument: 'list',
  accepted: 'commands and stages separated by commas, such as drop, $out, aggregate:$merge',
  parse: (text) => {
    const words = text.split(',').map((word) => word.trim().replace(/\s*:\s*/, ':'));
    return words.every((word) => COMMAND.test(word)) ? [...new Set(words)] : undefined;
  },
  explain: (text) => {
    const isEmpty = text.split(',').some((word) => word.trim() === '');
    return isEmpty ? 'an entry is empty' : 'an entry is neither a command nor a stage';
  },
});

/** Text without a NUL or half a character, neither of which the protocol or a path can carry. */
export function isPlainText(text: string): boolean {
  return text !== '' && !/[\0\p{Surrogate}]/u.test(text);
}

/** Any text, taken as it is. */
export const anyText: TextType<string> = textType({
  argument: 'text',
  accepted: 'any text without a NUL character',
  parse: (text) => (isPlainText(text) ? text : undefined),
});

/** The path of a file or directory. */
export function path(argument: 'file' | 'directory'): TextType<string> {
  return textType({
    argument,
    accepted: `the path of a ${argument}`,
    parse: (text) => (isPlainText(text) ? text : undefined),
  });
}

/** The name of a listener: a label of logs and metrics. */
export const listenerName: TextType<string> = textType({
  argument: 'name',
  accepted: '1 to 63 of a to z, 0 to 9 and -',
  parse: (text) => (/^[a-z0-9-]{1,63}$/.test(text) ? text : undefined),
});

/** Shorter ones could be guessed. */
const SECRET_LENGTH_MIN = 32;

/** Secrets separated by commas or blanks; nothing of a refused one is shown. */
export const secrets: TextType<readonly string[]> = textType({
  argument: 'list',
  accepted:
    `secrets of ${SECRET_LENGTH_MIN} characters and more, separated by commas or blanks, such ` +
    'as openssl rand -base64 32 prints',
  parse: (text) => {
    const found = text.split(/[\s,]+/).filter((secret) => secret !== '');
    const isAccepted = found.every((secret) => secret.length >= SECRET_LENGTH_MIN);
    return found.length > 0 && isAccepted ? [...new Set(found)] : undefined;
  },
  explain: () => 'one of them is shorter, or there is none',
});
