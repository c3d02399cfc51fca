import { PassThrough } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { readSecret } from '../../src/cli-secret.ts';

interface Asked {
  readonly secret: string;
  readonly written: string;
  readonly modes: readonly boolean[];
}

/** Asks at a terminal at which this is typed. */
async function askTerminal(...typed: readonly (string | Buffer)[]): Promise<Asked> {
  const modes: boolean[] = [];
  const input = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: (isRaw: boolean) => modes.push(isRaw),
  });
  let written = '';
  const output = { write: (text: string) => (written += text) };
  typed.forEach((keys) => input.write(keys));
  input.end();
  const secret = await readSecret('Password of alice', { input, output }).catch((error: unknown) =>
    String(error),
  );
  return { secret, written, modes };
}

async function askPipe(...chunks: readonly (string | Buffer)[]): Promise<string> {
  const input = new PassThrough();
  chunks.forEach((chunk) => input.write(chunk));
  const output = {
    write: () => {
      throw new Error('Nothing is to be asked');
    },
  };
  setImmediate(() => input.end());
  return await readSecret('Password', { input, output });
}

describe('A secret at a terminal', () => {
  test('is asked for twice, and never shown', async () => {
    expect(await askTerminal('hunter22\r', 'hunter22\r')).toEqual({
      secret: 'hunter22',
      written: 'Password of alice: \nPassword of alice, again: \n',
      modes: [true, false],
    });
  });

  test.each([
    ['each key by itself', Array.from('geheim\rgeheim\r'), 'geheim'],
    ['both at once', ['geheim\rgeheim\r'], 'geheim'],
    ['with a line feed', ['geheim\ngeheim\n'], 'geheim'],
    ['with a slip', ['gehein\x7fm\r', 'x\bgeheim\r'], 'geheim'],
    ['anew after Ctrl+U', ['wrong\x15geheim\r', 'geheim\r'], 'geheim'],
    [
      'with arrows and Delete, which type nothing',
      ['\x1b[Age\x1b[3~heim\r', '\x1bOAge\x1bxheim\r'],
      '',
    ],
    ['beyond ASCII', ['pässwörd🔑\r', 'pässwörd🔑\r'], 'pässwörd🔑'],
    ['a slip beyond ASCII', ['ab🔑\x7f\r', 'ab\r'], 'ab'],
    ['blanks', ['  a b \r', '  a b \r'], '  a b '],
  ])('is taken as typed: %s', async (_name, typed, expected) => {
    const { secret } = await askTerminal(...typed);
    expect(secret).toBe(expected === '' ? 'geheim' : expected);
  });

  test('is taken as typed where a letter comes in two pieces', async () => {
    const letters = Buffer.from('ä\rä\r');
    const { secret } = await askTerminal(...Array.from(letters, (byte) => Buffer.from([byte])));
    expect(secret).toBe('ä');
  });

  test.each([
    ['the two are not the same', ['one\r', 'two\r'], /The two are not the same/],
    ['nothing was typed', ['\r', '\r'], /Nothing was typed/],
    ['Ctrl+C was', ['abc\x03'], /Interrupted/],
    ['Ctrl+D was', ['abc\r\x04'], /Interrupted/],
    ['the terminal is gone', ['abc'], /Interrupted/],
  ])('is none where %s; the terminal is as before', async (_name, typed, message) => {
    const { secret, modes, written } = await askTerminal(...typed);
    expect(secret).toMatch(message);
    expect(modes).toEqual([true, false]);
    expect(written).not.toContain('abc');
  });
});

describe('A secret on standard input', () => {
  test.each([
    ['a line', ['hunter22\n'], 'hunter22'],
    ['a line of Windows', ['hunter22\r\n'], 'hunter22'],
    ['a line without end', ['hunter22'], 'hunter22'],
    ['the first of two lines', ['hunter22\nother\n'], 'hunter22'],
    ['a line in pieces', ['hun', 'ter', '22\n'], 'hunter22'],
    ['blanks', ['  a b \n'], '  a b '],
  ])('is %s', async (_name, chunks, expected) => {
    expect(await askPipe(...chunks)).toBe(expected);
  });

  test.each([
    ['nothing', [''], /No secret came/],
    ['an empty line', ['\nhunter22\n'], /No secret came/],
    ['far too much', ['x'.repeat(20_000)], /No secret came/],
    ['not UTF-8', [Buffer.from([0x70, 0xff, 0x0a])], /not UTF-8/],
  ])('is none where it is %s', async (_name, chunks, message) => {
    await expect(askPipe(...chunks)).rejects.toThrow(message);
  });
});
