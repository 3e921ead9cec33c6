import { namesIn } from "./names.ts";
import { measuresOf } from "./quantities.ts";
import { type Prompt, small, stem } from "./words.ts";

/** The same words in another order: who did what to whom. */

/** Whether the prompts say the same words the other way round. */
export function reversed(a: Prompt, b: Prompt): boolean {
  return reordered(a, b) || rebound(a, b) || namesSwapped(a, b) || measuresSwapped(a, b);
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

/** Whether two that both name stand in another order, and no preposition says that this changes nothing. */
function namesSwapped(a: Prompt, b: Prompt): boolean {
  const [ours, theirs] = [bound(a), bound(b)];
  const settled = (name: string) => {
    const there = theirs.get(stem(name));
    return [...(ours.get(stem(name)) ?? [])].some((side) => side !== "standard" && there?.has(side) === true);
  };
  const [here, there] = [namesIn(a), namesIn(b)];
  const common = (from: readonly string[], other: readonly string[]) =>
    [...new Set(from)].filter((name) => other.includes(name) && !settled(name)).join("|");
  return common(here, there) !== common(there, here);
}

/** "600 yen in baht" and "600 baht in yen"; "20 minus 8" and "8 minus 20". */
function measuresSwapped(a: Prompt, b: Prompt): boolean {
  const [ours, theirs] = [measuresOf(a), measuresOf(b)];
  return ours.bound.join("|") !== theirs.bound.join("|") || ours.bare.join("|") !== theirs.bare.join("|");
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
