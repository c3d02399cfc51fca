// How the docs page looks: any width, and as light or dark as the reader has it.
import { createHash } from 'node:crypto';

/** The whole content of the style element. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --text: #1c2430; --soft: #566072; --back: #fff; --block: #f3f5f8; --line: #d5dbe4;
  --link: #0b57b0; --mark: #155d2b;
}
@media (prefers-color-scheme: dark) {
  :root {
    --text: #e3e8ef; --soft: #a3adbb; --back: #12161c; --block: #1c222b; --line: #353f4c;
    --link: #82b4ff; --mark: #7fd79a;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1rem; max-width: 60rem; color: var(--text); background: var(--back);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere;
}
a { color: var(--link); }
h1, h2, h3 { line-height: 1.25; }
h2 { margin-top: 3rem; }
h3 { margin: 0; font-size: 1.05rem; }
h4 { margin: 1.25rem 0 .25rem; }
code, pre { font: .9em/1.5 ui-monospace, monospace; }
pre {
  margin: .5rem 0; padding: .75rem; overflow-x: auto; background: var(--block);
  border-radius: .35rem; overflow-wrap: normal;
}
article { margin: 1.25rem 0; padding: 1rem; border: 1px solid var(--line); border-radius: .5rem; }
article:target { border-color: var(--link); }
nav ul { padding: 0; list-style: none; }
nav li { margin: .35rem 0; }
dl { margin: 0; }
dt { margin-top: .6rem; }
dd { margin: 0 0 0 1rem; }
dd p, summary { margin: .15rem 0; }
summary { cursor: pointer; }
.method { color: var(--mark); font-weight: 700; }
.note { color: var(--soft); font-size: .9rem; }
`;

/** As Content-Security-Policy names it, so that no other style is taken. */
export const STYLE_SOURCE = `'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`;
