import { type Prompt, small, stem } from "./words.ts";

/** The same words in another order: who did what to whom. */

/** What a word means depends on the preposition before it. */
const directions = new Set(
  "from to into onto before after until since by than over under above below between against with without for versus vs".split(
    " ",
  ),
);

/** Whether the prompts say the same words the other way round. */
export function reversed(a: Prompt, b: Prompt): boolean {
  return reordered(a, b) || rebound(a, b);
}

/** The same matter in another order, but for a phrase that moved from one end to the other ("In Rust, how …", "How … in Rust"). */
function reordered(a: Prompt, b: Prompt): boolean {
  const ours = matter(a);
  const theirs = matter(b);
  if (ours.length !== theirs.length || ours.length < 2) return false;
  if ([...ours].sort().join(" ") !== [...theirs].sort().join(" ")) return false;
  const line = ours.join(" ");
  if (line === theirs.join(" ")) return false;
  return !theirs.some((_, at) => [...theirs.slice(at), ...theirs.slice(0, at)].join(" ") === line) || swappedPair(a, b);
}

/** Two words are a rotation of one another whichever way they stand: then what stands between them decides. */
function swappedPair(a: Prompt, b: Prompt): boolean {
  return (
    matter(a).length === 2 &&
    matter(b).length === 2 &&
    [...directions].some((word) => a.words.includes(word) || b.words.includes(word))
  );
}

function matter({ words }: Prompt): readonly string[] {
  return words.filter((word) => !small.has(word)).map(stem);
}

/** A word that follows "from" here follows "to" there. */
function rebound(a: Prompt, b: Prompt): boolean {
  const ours = bound(a);
  const theirs = bound(b);
  const where = new Map([...theirs].flatMap(([direction, words]) => words.map((word) => [word, direction] as const)));
  for (const [direction, words] of ours) {
    for (const word of words) {
      const other = where.get(word);
      if (other !== undefined && other !== direction && opposite(direction, other)) return true;
    }
  }
  return false;
}

const sides: Readonly<Record<string, string>> = {
  from: "source",
  since: "source",
  to: "goal",
  into: "goal",
  onto: "goal",
  until: "goal",
  before: "early",
  after: "late",
  than: "than",
  over: "up",
  above: "up",
  under: "down",
  below: "down",
  with: "with",
  without: "without",
};

function opposite(one: string, other: string): boolean {
  const a = sides[one];
  const b = sides[other];
  return a !== undefined && b !== undefined && a !== b;
}

/** The word of matter that follows each preposition. */
function bound({ words }: Prompt): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const [at, word] of words.entries()) {
    if (!directions.has(word)) continue;
    const next = words.slice(at + 1, at + 4).find((candidate) => !small.has(candidate));
    if (next !== undefined) found.set(word, [...(found.get(word) ?? []), stem(next)]);
  }
  return found;
}
