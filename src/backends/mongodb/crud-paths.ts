// Names of fields in an address: dotted paths into documents.

/** As deep as documents go. */
const PARTS_MAX = 100;

/**
 * Why a text cannot be the path of a field; undefined when it can. Names that mean something to
 * JavaScript are names like any other: they only ever are keys of Maps.
 */
export function findPathProblem(path: string): string | undefined {
  const parts = path.split('.');
  if (parts.includes('')) {
    return 'A part of the path is empty';
  }
  if (parts.some((part) => part.startsWith('$'))) {
    return 'A name cannot begin with $: operators are written as field=operator.value';
  }
  if (path.includes('\0')) {
    return 'A name cannot hold the character NUL';
  }
  return parts.length > PARTS_MAX ? `A path has at most ${PARTS_MAX} parts` : undefined;
}

/** A path that lies within another one of them, which the server refuses; undefined if none. */
export function findOverlap(paths: readonly string[]): string | undefined {
  const all = new Set(paths);
  return paths.find((path) => {
    for (let dot = path.indexOf('.'); dot !== -1; dot = path.indexOf('.', dot + 1)) {
      if (all.has(path.slice(0, dot))) {
        return true;
      }
    }
    return false;
  });
}
