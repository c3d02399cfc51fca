// HTML in which everything that is put in is text, unless it is HTML made here.

/** HTML that is safe to be put into more of it. */
export class Markup {
  readonly html: string;

  constructor(html: string) {
    this.html = html;
  }
}

type Content = Markup | string | number | undefined | readonly Content[];

/** A template of HTML: text in it is escaped, in quoted attributes too; undefined is nothing. */
export function markup(parts: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  const html = parts.map((part, index) => `${part}${toHtml(contents[index])}`);
  return new Markup(html.join(''));
}

function toHtml(content: Content): string {
  if (content instanceof Markup) {
    return content.html;
  }
  if (typeof content === 'object') {
    return content.map(toHtml).join('');
  }
  return String(content ?? '').replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Paragraphs of CommonMark in which nothing but `code` is more than text. */
export function markupOfProse(text: string): Markup {
  return markup`${text.split(/\n{2,}/).map((one) => markup`<p>${markupOfLine(one)}</p>\n`)}`;
}

/** The same without paragraphs. */
export function markupOfLine(text: string): Markup {
  const pieces = text.split('`').map((piece, index) => {
    const isCode = index % 2 === 1;
    return isCode ? markup`<code>${piece}</code>` : piece;
  });
  return markup`${pieces}`;
}
