// Puts the report where it is kept, between its markers; what people wrote around it stays.
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { format, resolveConfig } from 'prettier';

const FILE = path.resolve(import.meta.dirname, '../../docs/performance.md');

const BEGIN = '<!-- bench:begin -->';
const END = '<!-- bench:end -->';

/** Markdown as the project's other files have it. */
export async function formatReport(markdown: string): Promise<string> {
  return await format(markdown, { ...(await resolveConfig(FILE)), parser: 'markdown' });
}

/** @throws Error when the file or its markers are missing */
export async function writeReport(markdown: string): Promise<void> {
  const text = await readFile(FILE, 'utf8');
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin === -1 || end < begin) {
    throw new Error(`${FILE} lacks the markers ${BEGIN} and ${END}: put them back`);
  }
  const around = [text.slice(0, begin + BEGIN.length), markdown, text.slice(end)];
  await writeFile(FILE, await formatReport(around.join('\n\n')));
}
