/** One thing that a suite asks of a gateway. */
export interface RuleOf<Trial, Feature extends string> {
  /** Short, for tables and for `--only`. */
  readonly id: string;
  /** What holds, in one sentence. */
  readonly says: string;
  /** What users of gateways suffer when it does not hold. */
  readonly pain: string;
  /** What a target must say that it does for a failure to count; see {@link RuleOf.safety}. */
  readonly feature: Feature;
  /** Breaking it gives somebody a wrong answer: it counts for every target, whatever that claims. */
  readonly safety?: true;
  /** Returns when it holds. Throws {@link Broken}, {@link Unanswered} or {@link NotOffered}. */
  check(trial: Trial): Promise<void>;
}

/** What a suite's rules use to ask a target. */
export interface Asking {
  readonly target: { readonly profile: { readonly claims: ReadonlySet<string> } };
  /** What the report says beside a rule that passed, once. */
  takeNote(): string | undefined;
}

/** The target did something else than the rule says. */
export class Broken extends Error {}

/** The target gave no answer where one was due: no service, but nobody was told anything wrong either. */
export class Unanswered extends Error {}

/** The target has no way to be asked, or does nothing that the rule is about. */
export class NotOffered extends Error {}

/** Throws {@link Broken} with what was seen unless it is so. */
export function demand(so: boolean, seen: string): void {
  if (!so) throw new Broken(seen);
}

export type Outcome = "pass" | "fail" | "not offered";

export interface Verdict {
  readonly rule: { readonly id: string; readonly says: string };
  readonly outcome: Outcome;
  /** What was seen when it did not pass, or a note. */
  readonly note?: string;
}

/**
 * Asks one rule. A rule that fails is "not offered" when the target does not claim its feature and nobody gets a wrong
 * answer by it; where the target claims it, having no way to do it is a failure.
 */
export async function judge<Trial extends Asking, Feature extends string>(
  rule: RuleOf<Trial, Feature>,
  trial: Trial,
): Promise<Verdict> {
  try {
    await rule.check(trial);
    const note = trial.takeNote();
    return { rule, outcome: "pass", ...(note === undefined ? {} : { note }) };
  } catch (error) {
    const claimed = trial.target.profile.claims.has(rule.feature);
    const wrong = rule.safety === true && error instanceof Broken;
    return { rule, outcome: claimed || wrong ? "fail" : "not offered", note: sentenceOf(error) };
  }
}

function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
