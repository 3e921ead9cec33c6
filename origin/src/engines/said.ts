/** What a server behind us said, as far as it is looked into. */

interface Said {
  readonly choices?: unknown;
}

/** Whether a chunk holds some of the answer, not only who speaks, why it ended or what it used. */
export function holdsAnswer({ choices }: Said): boolean {
  return Array.isArray(choices) && choices.some(holdsText);
}

function holdsText(choice: { readonly delta?: object; readonly text?: unknown } | null): boolean {
  if (typeof choice?.text === "string") return choice.text !== "";
  return Object.entries(choice?.delta ?? {}).some(
    ([name, value]) => name !== "role" && value !== "" && value !== null && value !== undefined,
  );
}
