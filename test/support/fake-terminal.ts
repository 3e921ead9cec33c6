import type { Terminal } from "../../packages/cli/src/tell/terminal.ts";

export interface FakeTerminal extends Terminal {
  /** Lines on standard output and on standard error. */
  readonly printed: string[];
  readonly said: string[];
  /** Every state of the line that is rewritten. */
  readonly rewritten: string[];
  readonly asked: string[];
}

/** A terminal that remembers. With `answers` somebody sits there and gives them in turn. */
export function fakeTerminal(
  options: {
    readonly env?: Readonly<Record<string, string>>;
    readonly cwd?: string;
    readonly answers?: readonly string[];
  } = {},
): FakeTerminal {
  const lines = { printed: [] as string[], said: [] as string[], rewritten: [] as string[], asked: [] as string[] };
  const answers = [...(options.answers ?? [])];
  return {
    ...lines,
    env: options.env ?? {},
    cwd: options.cwd ?? "/",
    interactive: options.answers !== undefined,
    print: (text) => void lines.printed.push(text),
    say: (text) => void lines.said.push(text),
    rewrite: (text) => void lines.rewritten.push(text),
    ask: async (question) => {
      lines.asked.push(question);
      return answers.shift() ?? "";
    },
  };
}
