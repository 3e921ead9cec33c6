/** What must be the same to the letter: quoted text, and code. */

/** Fences first, so that a quote in a block of code is the code's. */
const fenced = /```[\s\S]*?```|`[^`\n]+`/g;
const quoted = /"[^"\n]+"|“[^”\n]+”|«[^»\n]+»|(?<![\p{L}\p{N}])'[^'\n]+'(?![\p{L}\p{N}])/gu;
/** Addresses, paths, flags, calls, names with dots, underscores or inner capitals, hex and versions. */
const codelike = new RegExp(
  [
    "[a-z][a-z0-9+.-]*://\\S+",
    "[\\w.+-]+@[\\w-]+\\.[\\w.]+",
    "(?<![\\w/])(?:~|\\.{1,2})?/[\\w./-]+",
    "(?<!\\w)--?[A-Za-z][\\w-]*",
    "[A-Za-z_$][\\w$.]*\\(\\s*\\)",
    "[A-Za-z][A-Za-z0-9]*_\\w+",
    "[a-z]+[A-Z]\\w*",
    "[A-Za-z_]\\w*(?:\\.[a-z_]\\w+)+",
    "0x[0-9a-fA-F]+",
    "v?\\d+(?:\\.\\d+){2,}",
    "[{}\\[\\]|&^~\\\\;]+|[<>=*]{2,}",
  ].join("|"),
  "g",
);

export interface Marks {
  /** In the order in which they are cut: blocks of code, quotes, code in prose. */
  readonly exact: readonly string[];
  readonly prose: string;
}

/** Cuts quoted text and code out of a prompt. */
export function marksOf(text: string): Marks {
  const exact: string[] = [];
  const cut = (pattern: RegExp, from: string, inner: (match: string) => string) =>
    from.replace(pattern, (match) => {
      exact.push(inner(match));
      return " ";
    });
  const withoutCode = cut(fenced, text, (match) => match.replace(/^`+|`+$/g, "").trim());
  const withoutQuotes = cut(quoted, withoutCode, (match) => match.slice(1, -1).trim());
  const prose = cut(codelike, withoutQuotes, (match) => match.replace(/[.,;]+$/, ""));
  return { exact, prose };
}
