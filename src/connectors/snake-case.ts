// Names of fields as snake_case.

/** Before a capital that is behind a small letter or a digit, or between one and a small letter. */
const WORD_START = /(?<=[\p{Ll}\p{Nd}])(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})/gu;

/**
 * A name as snake_case. A word begins at a capital behind a small letter or a digit, and at the
 * last of several capitals when a small letter follows it: `firstName` is `first_name`, `userID`
 * is `user_id`, `XMLHttpRequest` is `xml_http_request`, `ID` is `id`. Underscores stay and get no
 * second one, so that `_id` and `first_name` are unchanged; so is what is no letter.
 */
export function toSnakeCase(name: string): string {
  return name.replaceAll(WORD_START, '_').toLowerCase();
}

/** Collections have some hundred names at most; those that make names of values have no end. */
const REMEMBERED_NAMES_MAX = 10_000;

/** toSnakeCase that remembers, since the names of documents are nearly always the same. */
export function createSnakeCase(): (name: string) => string {
  const remembered = new Map<string, string>();
  return (name) => {
    const known = remembered.get(name);
    if (known !== undefined) {
      return known;
    }
    const snake = toSnakeCase(name);
    if (remembered.size < REMEMBERED_NAMES_MAX) {
      remembered.set(name, snake);
    }
    return snake;
  };
}
