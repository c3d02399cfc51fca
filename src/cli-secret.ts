// A secret from whoever runs a command: typed without being shown, or one line of standard input.
// Never an argument, which every process of the machine can read.
import { ServiceError, SQLSTATE } from './errors.ts';

interface Keys {
  [Symbol.asyncIterator](): AsyncIterator<Buffer | string, undefined>;
}

/** What a secret is read from, and where it is asked for. */
export interface SecretTerminal {
  readonly input: Keys & {
    readonly isTTY?: boolean;
    setRawMode?(isRaw: boolean): unknown;
    pause(): unknown;
  };
  readonly output: { write(text: string): unknown };
}

/** Far more than any secret has; a file that was piped in by mistake is not read to its end. */
const LINE_BYTES_MAX = 16 * 1024;

const BACKSPACE = /[\b\x7f]/;
const ENTER = /[\r\n]/;

/** What follows Escape for arrows, function keys, and a letter with Alt. */
const SEQUENCE = /^(?:O[A-Z]|\[[\d;]*[A-Za-z~]|.)/;

/**
 * The secret. At a terminal it is asked for, and asked for again so that a slip is noticed;
 * otherwise it is the first line of the input, without its end.
 *
 * @param prompt for the terminal, such as `Password of alice`
 * @throws ServiceError 22023 where there is none, or both are not the same
 */
export async function readSecret(prompt: string, terminal: SecretTerminal): Promise<string> {
  const { input } = terminal;
  try {
    if (input.isTTY !== true) {
      return await readLine(input);
    }
    return await readTyped(prompt, terminal);
  } finally {
    input.pause();
  }
}

async function readLine(input: SecretTerminal['input']): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of input) {
    const bytes = Buffer.from(chunk);
    chunks.push(bytes);
    length += bytes.length;
    if (bytes.includes('\n') || length > LINE_BYTES_MAX) {
      break;
    }
  }
  const [line = ''] = decode(Buffer.concat(chunks)).split(/\r?\n/, 1);
  if (line === '' || Buffer.byteLength(line) > LINE_BYTES_MAX) {
    throw refusal('No secret came on standard input: its first line is to be it');
  }
  return line;
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw refusal('The secret on standard input is not UTF-8');
  }
}

async function readTyped(prompt: string, { input, output }: SecretTerminal): Promise<string> {
  const keys = input[Symbol.asyncIterator]();
  const typist = new Typist(keys);
  input.setRawMode?.(true);
  try {
    output.write(`${prompt}: `);
    const first = await typist.line();
    output.write(`\n${prompt}, again: `);
    const second = await typist.line();
    output.write('\n');
    if (first !== second) {
      throw refusal('The two are not the same: nothing is changed');
    }
    if (first === '') {
      throw refusal('Nothing was typed: nothing is changed');
    }
    return first;
  } finally {
    input.setRawMode?.(false);
    await keys.return?.();
  }
}

/** What somebody types, line by line; a terminal in raw mode leaves the editing to us. */
class Typist {
  readonly #keys: AsyncIterator<Buffer | string, undefined>;
  readonly #decoder = new TextDecoder('utf-8');
  #typed: string[] = [];

  constructor(keys: AsyncIterator<Buffer | string, undefined>) {
    this.#keys = keys;
  }

  async line(): Promise<string> {
    let line: string[] = [];
    for (;;) {
      const key = this.#typed.shift() ?? (await this.#more());
      if (ENTER.test(key)) {
        return line.join('');
      }
      if (key === '\x03' || (key === '\x04' && line.length === 0)) {
        throw refusal('Interrupted: nothing is changed');
      }
      line = edit(line, key);
    }
  }

  /** The next key; those that came with it are kept. Keys that type nothing are left out. */
  async #more(): Promise<string> {
    const { value } = await this.#keys.next();
    if (value === undefined) {
      return '\x03';
    }
    const text = this.#decoder.decode(Buffer.from(value), { stream: true });
    const [plain = '', ...sequences] = text.split('\x1b');
    const rest = sequences.map((sequence) => sequence.replace(SEQUENCE, ''));
    this.#typed = Array.from([plain, ...rest].join(''));
    return this.#typed.shift() ?? '';
  }
}

function edit(line: string[], key: string): string[] {
  if (BACKSPACE.test(key)) {
    return line.slice(0, -1);
  }
  if (key === '\x15') {
    return [];
  }
  return key < ' ' || line.length >= LINE_BYTES_MAX ? line : [...line, key];
}

function refusal(message: string): ServiceError {
  return new ServiceError(SQLSTATE.invalidParameterValue, message);
}
