import { type CachePolicy, cachePolicy, parse } from "@ledge/contract";
import type { Command } from "commander";
import { Refusal } from "../refusal.ts";

/** The flags that change a policy, each a member of it. */
export interface PolicyFlags {
  readonly off?: true;
  readonly on?: true;
  readonly ttl?: string;
  readonly ttlMax?: string;
  readonly staleWhileRevalidate?: string;
  readonly staleIfError?: string;
  readonly entryBytes?: string;
  readonly vary?: string;
  readonly collapse?: string;
  readonly semantic?: string;
  readonly embedder?: string;
  readonly verifier?: string;
  readonly probability?: string;
  readonly candidates?: string;
  readonly entries?: string;
}

export function withPolicyOptions(command: Command): Command {
  return command
    .option("--off", "keep nothing and look nothing up")
    .option("--on", "no longer off here")
    .option("--ttl <seconds>", "how long an answer is fresh")
    .option("--ttl-max <seconds>", "the longest that a call may ask for")
    .option("--stale-while-revalidate <seconds>", "how long past that it answers while a fresh one is fetched")
    .option("--stale-if-error <seconds>", "how long past that it answers when edge and origin fail")
    .option("--entry-bytes <bytes>", "larger answers are not kept")
    .option("--vary <headers>", "request headers whose values split the cache, as in accept-language,x-brand")
    .option("--collapse <how>", "equal misses wait for one another: everywhere, isolate or off")
    .option("--semantic <on|off>", "answers to prompts that mean the same")
    .option("--embedder <model>", "semantic: turns prompts into vectors")
    .option("--verifier <model>", "semantic: judges two prompts")
    .option("--probability <share>", "semantic: what the verifier must be sure of, 0.5 to 1")
    .option("--candidates <n>", "semantic: candidates judged for one call")
    .option("--entries <n>", "semantic: prompts that one index holds");
}

/** Leaves a member to whoever else says something of it. */
const unset = "default";

/** A policy with what the flags change of it. Throws {@link Refusal} with every fault, or when they change nothing. */
export function changedPolicy(policy: CachePolicy, flags: PolicyFlags): CachePolicy {
  if (flags.on && flags.off) throw new Refusal("Give --on or --off, not both.", 2);
  const { semantic: before = {}, ...rest } = policy;
  const own = withMembers(rest, {
    enabled: flags.off ? false : flags.on,
    ttl_s: numberIn(flags.ttl),
    ttl_s_max: numberIn(flags.ttlMax),
    stale_while_revalidate_s: numberIn(flags.staleWhileRevalidate),
    stale_if_error_s: numberIn(flags.staleIfError),
    entry_bytes_max: numberIn(flags.entryBytes),
    vary: flags.vary === unset ? unset : flags.vary?.split(",").map((name) => name.trim().toLowerCase()),
    collapse: flags.collapse,
  });
  const semantic = withMembers(before, {
    enabled: switchIn(flags.semantic),
    embedder: flags.embedder,
    verifier: flags.verifier,
    probability_min: numberIn(flags.probability),
    candidates_max: numberIn(flags.candidates),
    entries_max: numberIn(flags.entries),
  });
  const changed = parse(cachePolicy, { ...own, ...(Object.keys(semantic).length === 0 ? {} : { semantic }) });
  if (changed.ok) return changed.value;
  const faults = changed.fault.issues?.map(({ path, message }) => `${path}: ${message}`) ?? [];
  throw new Refusal(`These flags do not make a policy. ${faults.join(". ")}.`, 2);
}

function withMembers(before: object, members: Readonly<Record<string, unknown>>): object {
  const said = Object.entries(members).filter(([, value]) => value !== undefined);
  const kept = Object.entries({ ...before, ...Object.fromEntries(said) }).filter(([, value]) => value !== unset);
  return Object.fromEntries(kept);
}

/** What is no number stays a text, which the schema then refuses by name. */
function numberIn(text: string | undefined): number | string | undefined {
  return text === undefined || !/^[0-9]+(?:\.[0-9]+)?$/.test(text) ? text : Number(text);
}

function switchIn(text: string | undefined): boolean | string | undefined {
  return text === "on" || text === "off" ? text === "on" : text;
}
