/**
 * The candidate that takes the fewest edits to become the word, for "did you mean";
 * the first of several, undefined only when there are no candidates.
 */
export function nearestName(word: string, candidates: readonly string[]): string | undefined {
  const start = word.slice(0, WORD_CHARACTERS_MAX);
  let nearest: string | undefined;
  let fewest = Infinity;
  for (const candidate of candidates) {
    const edits = countEdits(start, candidate);
    if (edits < fewest) {
      fewest = edits;
      nearest = candidate;
    }
  }
  return nearest;
}

/** Twice the longest name of ours: what comes after it cannot make another candidate nearer. */
const WORD_CHARACTERS_MAX = 64;

/**
 * Letters to insert, delete, replace, or swap with their neighbour (optimal string alignment), two
 * rows of the table at a time.
 */
function countEdits(from: string, to: string): number {
  let before: readonly number[] = [];
  let previous: readonly number[] = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const isSame = from[row - 1] === to[column - 1];
      const isSwapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current[column] = Math.min(
        cell(previous, column) + 1,
        cell(current, column - 1) + 1,
        cell(previous, column - 1) + (isSame ? 0 : 1),
        isSwapped ? cell(before, column - 2) + 1 : Infinity,
      );
    }
    before = previous;
    previous = current;
  }
  return cell(previous, to.length);
}

function cell(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}
