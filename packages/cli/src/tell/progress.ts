import type { Terminal } from "./terminal.ts";

export interface Progress {
  /** `done` of `of` parts, in any unit. */
  update(done: number, of: number): void;
  /** Takes the bar away. Harmless when it is gone already. */
  end(): void;
}

const cells = 30;

/** A bar where somebody watches; elsewhere one plain line when the work starts. */
export function startProgress(terminal: Terminal, title: string): Progress {
  if (!terminal.interactive) {
    terminal.say(`${title} …`);
    return { update: () => undefined, end: () => undefined };
  }
  const draw = (share: number) => {
    const full = Math.round(share * cells);
    terminal.rewrite(`${title} [${"█".repeat(full)}${"░".repeat(cells - full)}] ${Math.floor(share * 100)} %`);
  };
  draw(0);
  return {
    update: (done, of) => draw(of === 0 ? 1 : Math.min(1, done / of)),
    end: () => terminal.rewrite(""),
  };
}
