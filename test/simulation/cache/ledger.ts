import type { CachePolicy, CacheState } from "@ledge/contract";
import type { Entry } from "../../../workers/gateway/src/cache/ports.ts";
import { deploymentPolicy, type Isolate } from "./isolate.ts";
import type { SimulatedKeeper } from "./keeper.ts";
import { type OriginWork, type Said, saidBy } from "./origin.ts";
import type { VirtualTime } from "./time.ts";

/** An answer that the cache keeps, as it was seen on its way into KV. */
export interface Kept {
  readonly work: OriginWork;
  readonly createdAtMs: number;
  readonly freshUntilMs: number;
  readonly tags: readonly string[];
  readonly puttingMs: number;
  /** When it lay in KV; absent while it does not. */
  storedMs?: number;
}

/** What is wrong, in words. */
export type Say = (wrong: string) => void;

/** Everything that was kept, checked as it was. */
export class Ledger {
  /** By the number of the work that made it. */
  readonly bySerial = new Map<number, Kept>();
  /** By what was asked, the newest last. */
  readonly byAbout = new Map<string, Kept[]>();
  readonly #time: VirtualTime;
  readonly #works: readonly OriginWork[];
  readonly #keeper: SimulatedKeeper;
  readonly #say: Say;

  constructor(time: VirtualTime, works: readonly OriginWork[], keeper: SimulatedKeeper, say: Say) {
    this.#time = time;
    this.#works = works;
    this.#keeper = keeper;
    this.#say = say;
  }

  async keeping(isolate: Isolate, entry: Entry, putting: Promise<void>): Promise<void> {
    const said = saidIn(entry.value);
    const work = said && this.#works[said.serial];
    if (said === undefined || work === undefined) {
      this.#say(`what is no answer was kept: ${JSON.stringify(entry.value)}`);
      return await putting;
    }
    this.#check(isolate, entry, said, work);
    const { createdAtMs, freshUntilMs, tags } = entry;
    const kept: Kept = { work, createdAtMs, freshUntilMs, tags, puttingMs: this.#time.nowMs };
    this.bySerial.set(work.serial, kept);
    const known = this.byAbout.get(said.about);
    if (known === undefined) this.byAbout.set(said.about, [kept]);
    else known.push(kept);
    await putting;
    kept.storedMs = this.#time.nowMs;
  }

  #check(isolate: Isolate, entry: Entry, said: Said, work: OriginWork): void {
    const { asked, fate, endedMs, serial } = work;
    const name = `work ${serial}`;
    if (fate !== "answers") this.#say(`what '${fate}' was kept: ${name}`);
    if (said.about !== asked.about) this.#say(`${name} was kept as the answer to something else`);
    if (asked.isolate !== isolate) this.#say(`${name} was kept by an isolate that did not ask for it`);
    if (!asked.wish.store) this.#say(`${name} was kept against its caller's no-store`);
    if (asked.sampled && asked.wish.ttlS === undefined) this.#say(`${name} was kept though it was sampled`);
    if (endedMs === undefined && asked.form !== "stream") this.#say(`${name} was kept before it was whole`);
    if (entry.number < asked.heard) this.#say(`${name} was kept under rules older than its call knew`);
    if (entry.createdAtMs < work.startedMs || entry.createdAtMs > this.#time.nowMs) {
      this.#say(`${name} was kept with a time it was not made at`);
    }
    const ttlMs = entry.freshUntilMs - entry.createdAtMs;
    const ttls = this.statesSince(asked.heard, isolate.heard).map((state) =>
      ttlMsOf(state, asked.question, asked.wish.ttlS),
    );
    if (!ttls.includes(ttlMs)) this.#say(`${name} was kept as fresh for ${ttlMs} ms, not ${ttls.join(" or ")}`);
  }

  /** Every state of the rules that an isolate may have gone by. */
  statesSince(first: number, last: number): readonly CacheState[] {
    return this.#keeper.states.slice(first, last + 1);
  }
}

/** What the policies make of one member: the tenant's word over the model's over the deployment's. */
export function ruled<K extends "stale_while_revalidate_s" | "stale_if_error_s" | "ttl_s" | "ttl_s_max">(
  member: K,
  state: CacheState,
  { tenant, model }: { readonly tenant: string; readonly model: string },
): number {
  return state.tenants[tenant]?.[member] ?? state.models[model]?.[member] ?? deploymentPolicy[member];
}

export function isOn(
  state: CacheState,
  { tenant, model }: { readonly tenant: string; readonly model: string },
): boolean {
  const policies: (CachePolicy | undefined)[] = [state.tenants[tenant], state.models[model]];
  return policies.every((policy) => policy?.enabled !== false);
}

function ttlMsOf(state: CacheState, question: { readonly tenant: string; readonly model: string }, ttlS?: number) {
  return 1000 * (ttlS ?? Math.min(ruled("ttl_s", state, question), ruled("ttl_s_max", state, question)));
}

/** What a kept value says. */
export function saidIn(value: unknown): Said | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if ("about" in value && "serial" in value) return { about: String(value.about), serial: Number(value.serial) };
  return "parts" in value && Array.isArray(value.parts) ? saidBy(value.parts.map(textOfPart).join("")) : undefined;
}

function textOfPart(part: unknown): string {
  if (typeof part === "string") return part;
  const { choices } = part as { readonly choices?: readonly { readonly delta?: { readonly content?: unknown } }[] };
  const content = choices?.[0]?.delta?.content;
  return typeof content === "string" ? content : "";
}
