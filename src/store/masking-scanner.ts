// Where a secret ends that begins somewhere in a text of SQL, of the MongoDB shell, or of JSON.
//
// The text is a client's, and its syntax is not known: where readings differ, the later end counts.
// Time is linear in its length: a search either goes on only up to the next place where another
// one of its kind would begin, is bounded, or is remembered.

/** What stands between a key and its value, comments included; what is longer hides something. */
const GAP_LENGTH_MAX = 256;

/** Backslashes before a quote, or quotes in a row, that texts within texts still come to. */
const NESTING_MAX = 8;

/** Literals of which one value is put together. */
const PARTS_MAX = 16;

const WHITE = /\s*/y;
/** Up to more than fits into a gap. */
const LINE_COMMENT = /--[^\n]{0,300}|\/\/[^\n]{0,300}/y;
const COMMENT_EDGE = /\/\*|\*\//g;

/** A prefix of SQL, backslashes of a text within a text, and quotes. */
const OPENING = /(?:[uU]&|[eEnNbBxX])?(\\*)((["'`])\3*)/y;

const DOLLAR_TAG = /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y;

/** How often the length of the text may be searched for ends of dollar quotes within each other. */
const SEARCHES_MAX = 8;

/** What stands between two parts of one literal. */
const JOINT = /\s*(?:\+|\|\|)?\s*/y;
const JOINT_OF_LIST = /\s*(?:\+|\|\||,)?\s*/y;

const QUOTES: Readonly<Record<string, RegExp>> = { "'": /'+/g, '"': /"+/g, '`': /`+/g };

/** Of any literal. */
const ANY_OPENING = /['"`]|\$(?:[A-Za-z_]\w*)?\$/g;

const RUN_EDGE = /[\s'"`\\]/g;

interface Run {
  readonly start: number;
  readonly end: number;
  readonly lastAt: number;
}

export class TextScanner {
  readonly #text: string;
  #searched = 0;
  #opening = { from: 0, at: -1 };
  #run: Run = { start: 0, end: 0, lastAt: -1 };

  constructor(text: string) {
    this.#text = text;
  }

  /** Behind what the sticky pattern matches here, which may be nothing. */
  skip(pattern: RegExp, at: number): number {
    pattern.lastIndex = at;
    return pattern.test(this.#text) ? pattern.lastIndex : at;
  }

  /** Behind white space and comments; undefined where there is more than anybody needs. */
  skipGap(start: number): number | undefined {
    for (let at = start; ;) {
      const next = this.#skipPartOfGap(at);
      if (next === undefined || next - start > GAP_LENGTH_MAX) {
        return undefined;
      }
      if (next === at) {
        return at;
      }
      at = next;
    }
  }

  /** Behind the literal that begins here and those that are joined to it; undefined without one. */
  endOfLiteral(start: number, { isList = false } = {}): number | undefined {
    DOLLAR_TAG.lastIndex = start;
    const tag = DOLLAR_TAG.exec(this.#text)?.[0];
    return tag === undefined
      ? this.#endOfJoined(start, isList ? JOINT_OF_LIST : JOINT)
      : this.#endOfDollarQuoted(start, tag);
  }

  /** Where the next literal may begin, or end; the text's length without one. */
  nextQuote(start: number): number {
    if (start < this.#opening.from || start > this.#opening.at) {
      ANY_OPENING.lastIndex = start;
      const at = ANY_OPENING.exec(this.#text)?.index ?? this.#text.length;
      this.#opening = { from: start, at };
    }
    return this.#opening.at;
  }

  /** The end of what has no white space and no quotes in it, but for those that are escaped. */
  endOfRun(start: number): number {
    return this.#runAt(start).end;
  }

  /** The last @ of that run; -1 without one. */
  lastAtOfRun(start: number): number {
    const { lastAt } = this.#runAt(start);
    return lastAt < start ? -1 : lastAt;
  }

  #skipPartOfGap(at: number): number | undefined {
    const behindWhite = this.skip(WHITE, at);
    if (behindWhite > at) {
      return behindWhite;
    }
    return this.#text.startsWith('/*', at) ? this.#skipComment(at) : this.skip(LINE_COMMENT, at);
  }

  /** PostgreSQL's comments nest. */
  #skipComment(start: number): number | undefined {
    const near = this.#text.slice(start, start + GAP_LENGTH_MAX);
    let depth = 0;
    for (const { 0: edge, index } of near.matchAll(COMMENT_EDGE)) {
      depth += edge === '/*' ? 1 : -1;
      if (depth === 0) {
        return start + index + edge.length;
      }
    }
    return undefined;
  }

  #endOfDollarQuoted(start: number, tag: string): number {
    const close =
      this.#searched > SEARCHES_MAX * this.#text.length
        ? -1
        : this.#text.indexOf(tag, start + tag.length);
    const end = close === -1 ? this.#text.length : close + tag.length;
    this.#searched += end - start;
    return end;
  }

  #endOfJoined(start: number, joint: RegExp): number | undefined {
    let end: number | undefined;
    let at = start;
    for (let parts = 0; parts <= PARTS_MAX; parts += 1) {
      const next = this.#endOfQuoted(at);
      if (next === undefined) {
        return end;
      }
      end = next;
      // A comment may be between two parts; who hides more there gains nothing.
      const gap = this.skipGap(end);
      const behind = gap === undefined ? gap : this.skipGap(this.skip(joint, gap));
      if (behind === undefined) {
        return this.#text.length;
      }
      at = behind;
    }
    return this.#text.length;
  }

  #endOfQuoted(start: number): number | undefined {
    OPENING.lastIndex = start;
    const [opening, { length: backslashes } = '', { length: count } = '', quote = ''] =
      OPENING.exec(this.#text) ?? [];
    if (opening === undefined) {
      return undefined;
    }
    if (backslashes >= NESTING_MAX || count >= NESTING_MAX) {
      return this.#text.length;
    }
    if (backslashes > 0) {
      const from = start + opening.length - count + 1;
      return this.#findQuotes(from, quote, (escapes) => escapes <= backslashes);
    }
    // Three quotes are one that opens and one that is doubled; two are one within a literal.
    const unit = count & -count;
    const from = start + opening.length;
    const closes = (quotes: number): boolean => quotes % (2 * unit) !== 0;
    return Math.max(
      this.#findQuotes(from, quote, (_escapes, quotes) => closes(quotes)),
      this.#findQuotes(from, quote, (escapes, quotes) =>
        closes(escapes % 2 === 0 ? quotes : Math.max(quotes - unit, 0)),
      ),
    );
  }

  /** Behind the first quotes that close, by how many backslashes and quotes there are. */
  #findQuotes(
    from: number,
    quote: string,
    closes: (escapes: number, quotes: number) => boolean,
  ): number {
    const pattern = QUOTES[quote] ?? RUN_EDGE;
    pattern.lastIndex = from;
    for (let found = pattern.exec(this.#text); found; found = pattern.exec(this.#text)) {
      const { index, 0: quotes } = found;
      if (closes(this.#countBackslashes(from, index), quotes.length)) {
        return index + quotes.length;
      }
    }
    return this.#text.length;
  }

  /** Those right before the place. */
  #countBackslashes(from: number, at: number): number {
    let start = at;
    while (start > from && this.#text.charCodeAt(start - 1) === 0x5c) {
      start -= 1;
    }
    return at - start;
  }

  #runAt(start: number): Run {
    if (start < this.#run.start || start >= this.#run.end) {
      const end = this.#findEndOfRun(start);
      const lastAt = this.#text.slice(start, end).lastIndexOf('@');
      this.#run = { start, end, lastAt: lastAt === -1 ? -1 : start + lastAt };
    }
    return this.#run;
  }

  #findEndOfRun(start: number): number {
    RUN_EDGE.lastIndex = start;
    for (let found = RUN_EDGE.exec(this.#text); found; found = RUN_EDGE.exec(this.#text)) {
      const { index, 0: edge } = found;
      const isPair = edge !== ' ' && this.#text.charAt(index + 1) === edge && /['"`]/.test(edge);
      if (edge !== '\\' && !isPair) {
        return index;
      }
      RUN_EDGE.lastIndex = index + 2;
    }
    return this.#text.length;
  }
}
