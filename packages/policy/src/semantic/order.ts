import { namesIn } from "./names.ts";
import { converse } from "./opposites.ts";
import { measuresOf } from "./quantities.ts";
import { type Prompt, small, stem } from "./words.ts";

/** The same words in another order: who did what to whom. */

/** Whether the prompts say the same words the other way round. */
export function reversed(a: Prompt, b: Prompt): boolean {
  const otherEnd = converse(a, b);
  if (rebound(a, b, otherEnd) || measuresSwapped(a, b)) return true;
  const agents = agentsOf(a, b);
  if (agents !== undefined) return agents === "swapped";
  return !otherEnd && (reordered(a, b) || namesSwapped(a, b));
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

/** The stems that carry matter, in order, two that are joined by "and" or "or" in the order of the alphabet. */
function matter(prompt: Prompt): readonly string[] {
  const joins = joinsOf(prompt);
  const found = prompt.stems.flatMap((stem, at) => (small.has(prompt.words[at] ?? "") ? [] : [{ stem, at }]));
  for (const [place, { at }] of found.entries()) {
    const [here, next] = [found[place], found[place + 1]];
    if (here === undefined || next === undefined || !joins.some((join) => at < join && join < next.at)) continue;
    if (here.stem > next.stem) [here.stem, next.stem] = [next.stem, here.stem];
  }
  return found.map(({ stem }) => stem);
}

const joining = new Set(["and", "or", "nor", "vs", "versus", "against"]);

/** Where two are joined that may stand in either order: "between A and B", "A or B". */
function joinsOf({ words }: Prompt): readonly number[] {
  return words.flatMap((word, at) => (joining.has(word) && words[at + 1] !== "then" ? [at] : []));
}

const beings = new Set("is are was were be been being get gets got".split(" "));

/**
 * Where one prompt says by whom ("was A beaten by B") and the other says the same with a doer ("did B beat A"): whether the doer is
 * the same. `undefined` where the prompts do not differ so.
 */
function agentsOf(a: Prompt, b: Prompt): "same" | "swapped" | undefined {
  const [ours, theirs] = [passiveOf(a), passiveOf(b)];
  if ((ours === undefined) === (theirs === undefined)) return undefined;
  const { doer, deed } = ours ?? theirs ?? { doer: "", deed: "" };
  const active = ours === undefined ? a : b;
  const [by, done] = [active.stems.indexOf(doer), active.stems.findIndex((word) => alike(word, deed))];
  if (by < 0 || done < 0) return undefined;
  return by < done ? "same" : "swapped";
}

function passiveOf({ words, stems }: Prompt): { doer: string; deed: string } | undefined {
  const by = words.lastIndexOf("by");
  const deed = by > 0 ? stems[by - 1] : undefined;
  const doer = words.findIndex((word, at) => at > by && !small.has(word));
  if (deed === undefined || doer < 0 || !words.slice(0, by).some((word) => beings.has(word))) return undefined;
  return { deed, doer: stems[doer] ?? "" };
}

/** "Beat" and "beaten" have no common stem. */
function alike(one: string, other: string): boolean {
  const length = Math.max(3, Math.min(one.length, other.length) - 2);
  return one.slice(0, length) === other.slice(0, length);
}

/** Whether two that both name stand in another order, and nothing says that this changes nothing. */
function namesSwapped(a: Prompt, b: Prompt): boolean {
  const [ours, theirs] = [bound(a), bound(b)];
  const settled = (name: string) => {
    const there = theirs.get(stem(name));
    if ([...(ours.get(stem(name)) ?? [])].some((side) => side !== "standard" && there?.has(side) === true)) return true;
    return aside(a, name) && aside(b, name);
  };
  const [here, there] = [namesIn(a), namesIn(b)];
  const common = (from: readonly string[], other: readonly string[]) =>
    [...new Set(from)].filter((name) => other.includes(name) && !settled(name));
  const [mine, yours] = [common(here, there), common(there, here)];
  return mine.join("|") !== yours.join("|") && !(mine.length === 2 && joined(a, mine) && joined(b, mine));
}

/** Whether a name says only in what: "in Python", "Python: …". */
function aside({ words, prose }: Prompt, name: string): boolean {
  if (prose.trimStart().toLowerCase().startsWith(`${name}:`)) return true;
  return words.some((word, at) => word === name && /^(?:in|on|using|with|at)$/.test(words[at - 1] ?? ""));
}

/** Whether two names are joined, and so may stand in either order. */
function joined(prompt: Prompt, [one = "", other = ""]: readonly string[]): boolean {
  const [from, to] = [prompt.words.indexOf(one), prompt.words.indexOf(other)].toSorted((x, y) => x - y);
  return joinsOf(prompt).some((at) => from !== undefined && to !== undefined && from < at && at < to);
}

/** "600 yen in baht" and "600 baht in yen"; "20 minus 8" and "8 minus 20". */
function measuresSwapped(a: Prompt, b: Prompt): boolean {
  const [ours, theirs] = [measuresOf(a), measuresOf(b)];
  if (ours.bound.join("|") !== theirs.bound.join("|")) return true;
  const either = commutes(a) && commutes(b);
  const [bare, others] = either ? [ours.bare.toSorted(), theirs.bare.toSorted()] : [ours.bare, theirs.bare];
  return bare.join("|") !== others.join("|");
}

/** Whether the numbers may stand in either order: 3 + 4 is 4 + 3. */
function commutes({ words }: Prompt): boolean {
  const says = (pattern: RegExp) => words.some((word) => pattern.test(word));
  return (
    says(/^(?:plus|add(?:ed|ing)?|sum|total|times|multipl\w+|product)$/) &&
    !says(/^(?:minus|subtract\w*|difference|divide\w*|less|power|percent|%)$/)
  );
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

/** Whether a word that follows "from" here follows "to" there, or is what is compared here and the standard there (which it may be where the relation is said from its other end). */
function rebound(a: Prompt, b: Prompt, otherEnd: boolean): boolean {
  const ours = bound(a);
  const theirs = bound(b);
  for (const [word, directions] of ours) {
    const others = theirs.get(word);
    if (others === undefined) {
      if (!otherEnd && directions.has("standard") && theirs.size > 0 && hasStandard(theirs) && b.stems.includes(word))
        return true;
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
