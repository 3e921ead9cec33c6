/** What a language model reads before it says anything, in tokens. */
export interface Reading {
  readonly prompt: readonly number[];
  /** What was said already of the answer that it goes on with. */
  readonly said: readonly number[];
}

/**
 * The reading of a prompt as text, and of what was said of its answer: the prompt's tokens are those that it has alone, since those
 * are what the model has answered to. What follows is read with it, as some tokenizers put a space before all that they are given.
 */
export function readingOf(prompt: string, said: string, encode: (text: string) => readonly number[]): Reading {
  const alone = encode(prompt);
  if (said === "") return { prompt: alone, said: [] };
  const both = encode(prompt + said);
  const begins = alone.every((token, at) => both[at] === token);
  return { prompt: alone, said: begins ? both.slice(alone.length) : encode(said) };
}
