import { namesIn } from "./names.ts";
import { quantitiesOf } from "./quantities.ts";
import { type Prompt, small, stem } from "./words.ts";

/** The same words in another order: who did what to whom. */

/** Whether the prompts say the same words the other way round. */
export function reversed(a: Prompt, b: Prompt): boolean {
  return reordered(a, b) || rebound(a, b) || swapped(namesIn(a), namesIn(b)) || swapped(measures(a), measures(b));
}

/** The same matter in another order, but for a phrase that moved from one end to the other ("In Rust, how …", "How … in Rust"). */
function reordered(a: Prompt, b: Prompt): boolean {
  const ours = matter(a);
  const theirs = matter(b);
  if (ours.length !== theirs.length || ours.length < 3) return false;
  if (ours.toSorted().join(" ") !== theirs.toSorted().join(" ")) return false;
  const line = ours.join(" ");
  return !theirs.some((_, at) => [...theirs.slice(at), ...theirs.slice(0, at)].join(" ") === line);
}

function matter({ words }: Prompt): readonly string[] {
  return words.filter((word) => !small.has(word)).map(stem);
}

/** Numbers and units, but no times: those move about without a change of meaning. */
function measures(prompt: Prompt): readonly string[] {
  return quantitiesOf(prompt).filter((said) => !/^(?:time|which) /.test(said));
}

/** Whether two that both name stand in another order. */
function swapped(ours: readonly string[], theirs: readonly string[]): boolean {
  const common = (from: readonly string[], there: readonly string[]) =>
    [...new Set(from)].filter((one) => there.includes(one));
  return common(ours, theirs).join("|") !== common(theirs, ours).join("|");
}

/** What a word means depends on the preposition before it. */
const sides: Readonly<Record<string, string>> = {
  from: "source",
  since: "source",
  to: "goal",
  into: "goal",
  onto: "goal",
  until: "goal",
  before: "early",
  after: "late",
  following: "late",
  above: "up",
  under: "down",
  below: "down",
  with: "with",
  without: "without",
  than: "standard",
};
const conflicts = new Set(["source goal", "early late", "up down", "with without", "early with", "late with"]);

/** Whether a word that follows "from" here follows "to" there, or is what is compared here and the standard there. */
function rebound(a: Prompt, b: Prompt): boolean {
  const ours = bound(a);
  const theirs = bound(b);
  for (const [word, directions] of ours) {
    const others = theirs.get(word);
    if (others === undefined) {
      if (directions.has("standard") && theirs.size > 0 && hasStandard(theirs) && b.stems.includes(word)) return true;
      continue;
    }
    if ([...directions].some((one) => others.has(one))) continue;
    if ([...directions].some((one) => [...others].some((other) => conflict(one, other)))) return true;
  }
  return false;
}

function hasStandard(bounds: ReadonlyMap<string, ReadonlySet<string>>): boolean {
  return [...bounds.values()].some((directions) => directions.has("standard"));
}

function conflict(one: string, other: string): boolean {
  return conflicts.has(`${one} ${other}`) || conflicts.has(`${other} ${one}`);
}

/** By word of matter: the directions of the prepositions that it follows. */
function bound({ words }: Prompt): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const [at, word] of words.entries()) {
    const side = Object.hasOwn(sides, word) ? sides[word] : undefined;
    const next = side && words.slice(at + 1, at + 4).find((candidate) => !small.has(candidate));
    if (side === undefined || next === undefined) continue;
    const known = found.get(stem(next));
    if (known === undefined) found.set(stem(next), new Set([side]));
    else known.add(side);
  }
  return found;
}
