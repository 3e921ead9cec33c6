import { createInterface } from "node:readline/promises";

/** Where a command speaks. Standard output carries what was asked for and nothing else, so that it can be piped. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Whether somebody is there to see a progress bar and to answer. */
  readonly interactive: boolean;
  /** A line on standard output. */
  print(text: string): void;
  /** A line on standard error. */
  say(text: string): void;
  /** Rewrites the last line of standard error; an empty text clears it. Only where `interactive`. */
  rewrite(text: string): void;
  /** Asks and waits for a line. Only where `interactive`. */
  ask(question: string): Promise<string>;
}

export function realTerminal(): Terminal {
  const interactive = process.stdin.isTTY === true && process.stderr.isTTY === true;
  return {
    env: process.env,
    cwd: process.cwd(),
    interactive,
    print: (text) => void process.stdout.write(`${text}\n`),
    say: (text) => void process.stderr.write(`${text}\n`),
    rewrite: (text) => void process.stderr.write(`\r\x1b[2K${text}`),
    ask: async (question) => {
      const lines = createInterface({ input: process.stdin, output: process.stderr });
      try {
        return (await lines.question(`${question} `)).trim();
      } finally {
        lines.close();
      }
    },
  };
}
