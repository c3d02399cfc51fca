// Secrets out of texts that are kept: passwords of statements, credentials of URIs, verifiers,
// tokens. A word too many that is masked is no harm, a secret that is not is one.
import { TextScanner } from './masking-scanner.ts';

/** What stands in the place of a secret. */
export const MASK = '***';

/** How far a password reaches that has blanks in it. */
const SPLIT_PASSWORD_LENGTH_MAX = 256;

/** Longest part of a name before a key, or behind it. */
const NAME_LENGTH_MAX = 64;

/** The rest of a name that begins with a key, and what closes it. */
const REST_OF_NAME = /[\w$-]{0,64}/y;
const NAME_CLOSED = /\\{0,8}["'`]?\]?/y;

/** Between a name and its value. */
const SEPARATOR = /(?:[=:<>!~,|]{1,4}|(?:to|i?like|in|by|values)\b)?/iy;
const OPENED = /(?:[([{]\s{0,8}(?:["']?[$\w]{1,32}["']?\s{0,8}:\s{0,8})?){0,4}/y;

/** A separator behind which a value may be bare. */
const ASSIGNING = /[=:]/;

/** What puts a value together that stands elsewhere. */
const COMPOSED = /[^]{0,64}?(?:\|\||%[\w$-]{0,8}[lsi])/iy;
const GOES_ON = /\s{0,64}[.+|]/y;

const OPENING_QUOTE = /(?:u&|[enbx])?\\{0,8}["'`]|\$(?:[a-z_]\w*)?\$/iy;

/** Of `password=x`: no function, no operator, nothing behind it that it is called with. */
const PLAIN_ASSIGNMENT =
  /=(?!(?:new|any|all|some|array|case)\b)[^\s'"`()[\]{}|+]{1,128}(?!\s{0,16}[([|+]|[^\s'"`)\]}])/iy;

const PORT = /\d{1,5}(?:[/?#,;)\]]|$)/y;
const DIGEST = /md5[0-9a-f]{0,32}/iy;
const TOKEN = /gp_[\w-]{0,43}/y;
const BEARER = /bearer[\s:=]{1,16}[\w.~+/=-]*/iy;

const DIGEST_LENGTH = 'md5'.length + 32;
const TOKEN_LENGTH = 'gp_'.length + 43;

interface Secret {
  readonly start: number;
  readonly end: number;
}

interface Place {
  readonly text: string;
  readonly scanner: TextScanner;
  /** Of what announces the secret. */
  readonly start: number;
  readonly end: number;
}

type Finder = (place: Place) => Secret | undefined;

/** By what announces a secret. */
const RULES: readonly { readonly trigger: string; readonly find: Finder }[] = [
  {
    trigger:
      'pass(?:word|wd|phrase)?|pwd|secret|token|credential|authorization' +
      '|api[-_]?key|private[-_]?key|storedkey|serverkey',
    find: findSecret,
  },
  { trigger: '://', find: findCredentials },
  {
    trigger: 'scram-sha-\\d{1,3}\\$',
    find: ({ scanner, start, end }) => ({ start, end: scanner.endOfRun(end) }),
  },
  { trigger: 'md5(?=[0-9a-f])', find: (place) => findExact(place, DIGEST, DIGEST_LENGTH) },
  { trigger: 'gp_', find: (place) => findExact(place, TOKEN, TOKEN_LENGTH) },
  {
    trigger: 'bearer',
    find: ({ scanner, start, end }) => ({ start: end, end: scanner.skip(BEARER, start) }),
  },
  {
    // Their values are known by their places, are encoded, or have names that are.
    trigger:
      'sasl(?:start|continue)|changeuserpassword|(?:add|create|update)user' +
      '|\\\\[ux0-7][\\w\\\\{}$-]{0,64}["\'`]\\]?\\s{0,16}:' +
      '|\\bauth["\'`]?\\]?\\s{0,16}\\(',
    find: ({ text, end }) => ({ start: end, end: text.length }),
  },
  {
    // What is hashed, and what a shell is told.
    trigger: '\\bcrypt\\s{0,16}\\(|\\bprogram\\b',
    find: ({ scanner, end }) => findLiteral(scanner, scanner.skipGap(end) ?? end),
  },
];

/** A group for each rule. */
const TRIGGER = new RegExp(RULES.map(({ trigger }) => `(${trigger})`).join('|'), 'gi');

/**
 * The text with every secret replaced that one of these rules knows; linear in its length. What is
 * masked is looked at all the same: where it begins or ends may be misread, and a secret behind it
 * is announced within it.
 */
export function maskSecrets(text: string): string {
  const secrets = findSecrets(text);
  if (secrets.length === 0) {
    return text;
  }
  let masked = '';
  /** Up to here it is in `masked`, or left out of it. */
  let done = 0;
  for (const { start, end } of secrets.sort((one, other) => one.start - other.start)) {
    if (start >= done) {
      masked += text.slice(done, start) + MASK;
    }
    done = Math.max(done, end);
  }
  return masked + text.slice(done);
}

function findSecrets(text: string): Secret[] {
  const scanner = new TextScanner(text);
  const secrets: Secret[] = [];
  TRIGGER.lastIndex = 0;
  for (let found = TRIGGER.exec(text); found; found = TRIGGER.exec(text)) {
    const end = TRIGGER.lastIndex;
    const secret = ruleOf(found)?.find({ text, scanner, start: found.index, end });
    if (secret !== undefined && secret.end > secret.start) {
      secrets.push(secret);
    }
    if (secret?.end === text.length && secret.start <= end) {
      break;
    }
  }
  return secrets;
}

/**
 * The same for the beginning of a longer text: what its last word would have become is not known,
 * so that it is left out.
 */
export function maskBeginning(text: string): string {
  const masked = maskSecrets(text);
  let end = masked.length;
  while (end > 0 && /\S/.test(masked.charAt(end - 1))) {
    end -= 1;
  }
  return masked.slice(0, end);
}

function ruleOf(found: RegExpExecArray): (typeof RULES)[number] | undefined {
  return RULES.find((_rule, index) => found[index + 1] !== undefined);
}

/** The value behind a name, or everything from there on where it is put together. */
function findSecret(place: Place): Secret | undefined {
  const { text, scanner, end } = place;
  const value = findValue(place);
  const isComposed = scanner.skip(COMPOSED, end) > end;
  if (isComposed || (value !== undefined && scanner.skip(GOES_ON, value.end) > value.end)) {
    return { start: Math.min(value?.start ?? end, end), end: text.length };
  }
  if (isPlain(place, value)) {
    return value;
  }
  // Of other forms nobody knows which literal it is.
  const start = Math.min(value?.start ?? text.length, scanner.nextQuote(end));
  return { start, end: text.length };
}

function isPlain({ scanner, end }: Place, value: Secret | undefined): boolean {
  const nameEnd = scanner.skip(REST_OF_NAME, end);
  const isAssigned = scanner.skip(PLAIN_ASSIGNMENT, nameEnd) > nameEnd;
  return isAssigned || (value !== undefined && isLiteral(scanner, value.start));
}

function isLiteral(scanner: TextScanner, start: number): boolean {
  const inner = scanner.skip(OPENED, start);
  return scanner.skip(OPENING_QUOTE, inner) > inner;
}

/** `PASSWORD 'x'`, `"pwd": "x"`, `password=x`, and what is said in their ways. */
function findValue(place: Place): Secret | undefined {
  const { text, scanner, end } = place;
  const nameEnd = scanner.skip(REST_OF_NAME, end);
  const closed = scanner.skip(NAME_CLOSED, nameEnd);
  const value = findBehindName(place, closed);
  if (closed === nameEnd || isQuotedName(text, place.start, closed - 1)) {
    return value;
  }
  // The quote may as well open the value: PASSWORD'x'.
  const literal = scanner.endOfLiteral(nameEnd) ?? nameEnd;
  return { start: nameEnd, end: Math.max(literal, value?.end ?? 0) };
}

/** Whether the quote that is behind a name is before it too. */
function isQuotedName(text: string, start: number, quoteAt: number): boolean {
  const before = text.slice(Math.max(0, start - NAME_LENGTH_MAX), start);
  const quote = text.charAt(quoteAt) === ']' ? text.charAt(quoteAt - 1) : text.charAt(quoteAt);
  return /(["'`]?)[\w$-]*$/.exec(before)?.[1] === quote;
}

function findBehindName({ text, scanner }: Place, nameEnd: number): Secret | undefined {
  const separator = scanner.skipGap(nameEnd);
  if (separator === undefined) {
    return { start: nameEnd, end: text.length };
  }
  const behind = scanner.skip(SEPARATOR, separator);
  const start = scanner.skipGap(behind);
  if (start === undefined) {
    return { start: behind, end: text.length };
  }
  const isAssigned = ASSIGNING.test(text.slice(separator, behind));
  return findLiteral(scanner, start) ?? (isAssigned ? findBare(text, scanner, start) : undefined);
}

/** Also the first ones within parentheses or an object: `IN ('x', 'y')`, `{ $eq: 'x' }`. */
function findLiteral(scanner: TextScanner, start: number): Secret | undefined {
  const inner = scanner.skip(OPENED, start);
  const end = scanner.endOfLiteral(inner, { isList: inner > start });
  return end === undefined ? undefined : { start, end };
}

/** A bare word, and the literal that it is called with: `crypt('x')`. */
function findBare(text: string, scanner: TextScanner, start: number): Secret | undefined {
  const end = scanner.endOfRun(start);
  const isCall = /[([{]/.test(text.charAt(end - 1));
  const called = isCall ? scanner.endOfLiteral(end) : undefined;
  return end === start ? undefined : { start, end: called ?? end };
}

/** `user:password@`, and a lone `token@`. */
function findCredentials({ text, scanner, end: start }: Place): Secret | undefined {
  const lastAt = scanner.lastAtOfRun(start);
  const colon = text.indexOf(':', start);
  const end = scanner.endOfRun(start);
  const hasPassword = colon !== -1 && colon < end;
  if (lastAt !== -1) {
    return { start: hasPassword && colon < lastAt ? colon + 1 : start, end: lastAt };
  }
  if (!hasPassword || text.startsWith('[', start) || scanner.skip(PORT, colon + 1) > colon + 1) {
    return undefined;
  }
  const [line = ''] = text.slice(end, end + SPLIT_PASSWORD_LENGTH_MAX).split('\n', 1);
  return { start: colon + 1, end: Math.max(end, end + line.lastIndexOf('@')) };
}

/** What has one length, unless the text ends within it. */
function findExact(
  { text, scanner, start }: Place,
  pattern: RegExp,
  length: number,
): Secret | undefined {
  const end = scanner.skip(pattern, start);
  return end - start === length || end === text.length ? { start, end } : undefined;
}
