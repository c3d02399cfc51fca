// Comma-separated items of a query parameter, some of them in double quotes.

export interface ListItem {
  /** Without its quotes, and what a backslash stood before as it is. */
  readonly text: string;
  /** Whether it was in quotes: then it is text whatever it looks like. */
  readonly isQuoted: boolean;
  /** What follows the closing quote up to the comma: the `.desc` of `"a,b".desc`. */
  readonly rest: string;
}

/** Each step takes at least one character or the end, so that it is linear. */
const ITEM = /(?:"((?:[^"\\]|\\[\s\S])*)")?([^,]*)(,|$)/y;

/**
 * Takes `a,"b,c",d` apart. Quotes count at the beginning of an item only; within them a backslash
 * makes the next character an ordinary one.
 *
 * @returns undefined where a quote is not closed
 */
export function parseListItems(text: string): readonly ListItem[] | undefined {
  const items: ListItem[] = [];
  ITEM.lastIndex = 0;
  for (;;) {
    const [, quoted, rest = '', separator] = ITEM.exec(text) ?? [];
    if (quoted === undefined && rest.startsWith('"')) {
      return undefined;
    }
    items.push(
      quoted === undefined
        ? { text: rest, isQuoted: false, rest: '' }
        : { text: quoted.replaceAll(/\\([\s\S])/g, '$1'), isQuoted: true, rest },
    );
    if (separator !== ',') {
      return items;
    }
  }
}
