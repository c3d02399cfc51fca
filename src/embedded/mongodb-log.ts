/** Severities of mongod's log that say what went wrong: error and fatal. */
const COMPLAINT = /^\{"t":.*?"s":"[EF]".*?"msg":"((?:[^"\\]|\\.)*)"(?:,"attr":(.*)\})?/;

/** An attribute can be a whole configuration. */
const COMPLAINT_CHARACTERS_MAX = 400;

/** What a line of mongod's log complains of, in short; undefined when it does not. */
export function complaintOf(line: string): string | undefined {
  const [, message, attributes] = COMPLAINT.exec(line) ?? [];
  if (message === undefined) {
    return undefined;
  }
  // A message may begin and end with line breaks, which JSON writes as an escape.
  const sentence = message.replaceAll(String.raw`\n`, ' ').trim();
  const complaint = attributes === undefined ? sentence : `${sentence} ${attributes}`;
  return complaint.slice(0, COMPLAINT_CHARACTERS_MAX);
}
