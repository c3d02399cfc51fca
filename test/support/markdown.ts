// Tables of the manuals, which tests compare with what the code knows.
import { isSettingName, notesOf } from '../../src/config-settings.ts';

/** The rows of the first table below a heading, code marks taken off its cells. */
export function tableBelow(markdown: string, heading: string): readonly (readonly string[])[] {
  const section = markdown.split(/^#+ /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  const lines = section.split('\n');
  const start = lines.findIndex((line) => line.startsWith('|'));
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'));
  return lines.slice(start + 2, end === -1 ? undefined : end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.replaceAll('`', '').trim()),
  );
}

/** The words of a cell. */
export function listOf(cell: string | undefined): string[] {
  return (cell ?? '').split(', ').filter((word) => word !== '');
}

/** The default of a setting as a manual has it. */
export function fallbackOf(name: string): string {
  return isSettingName(name) ? (notesOf(name).fallback ?? 'unset') : '';
}
