import { DurableObject } from "cloudflare:workers";
import type { ArmTally, Canary, ModelTally, RegisteredModel, Snapshot, TallyBatch } from "@ledge/contract";
import {
  addUsage,
  type CanaryWatch,
  canaryChange,
  canaryStep,
  ratingTallyOf,
  type Usage,
  unused,
  watchCanary,
} from "@ledge/policy";
import type { OperatorEnv } from "../../env.ts";
import type { Rating } from "../../observe/ports.ts";
import { TallyStore } from "./tally-store.ts";

/** A snapshot read from the registry serves so long: a canary is judged with what was running a second ago at most. */
const snapshotMsMax = 1_000;
/** How soon a look that the registry did not answer is taken again. */
const lookAgainMs = 5_000;
const usageEveryMs = 60_000;

/**
 * One model's counts in one place, and the controller of its canary: whenever a batch arrives, or a step has lasted long
 * enough, it looks (`canaryStep`) and has the registry carry the verdict out.
 */
export class Tally extends DurableObject<OperatorEnv> {
  readonly #store: TallyStore;
  #snapshot: { readonly value: Snapshot; readonly atMs: number } | undefined;
  #looking = false;
  #lookAgain = false;

  constructor(ctx: DurableObjectState, env: OperatorEnv) {
    super(ctx, env);
    this.#store = new TallyStore(ctx.storage.sql);
  }

  /** Counts a batch of the model that this object is named after; the same batch again is not counted again. */
  add(model: string, batch: TallyBatch): void {
    const nowMs = Date.now();
    const added = this.ctx.storage.transactionSync(() => {
      this.#name(model);
      if (!this.#store.add(batch, nowMs)) return false;
      this.#store.setMeta("usage", usageAfter(this.#usage(), batch, nowMs));
      return true;
    });
    if (added) this.ctx.waitUntil(this.#look());
  }

  /** Counts a rating; false when its request was rated before. */
  rate(model: string, { requestId, version, score, rollout }: Rating): boolean {
    const nowMs = Date.now();
    const counted = this.ctx.storage.transactionSync(() => {
      this.#name(model);
      if (!this.#store.isFirstRating(requestId)) return false;
      this.#store.addArm(rollout, version, ratingTallyOf(score), nowMs);
      return true;
    });
    if (counted) this.ctx.waitUntil(this.#look());
    return counted;
  }

  read(): ModelTally {
    return this.#store.all();
  }

  /** The arms of a rollout, with what the controller remembers of it. */
  readRollout(id: string): { readonly arms: Readonly<Record<string, ArmTally>>; readonly watch?: CanaryWatch } {
    const watch = this.#store.meta<CanaryWatch>("watch");
    return { arms: this.#store.armsOf(id), ...(watch?.id === id ? { watch } : {}) };
  }

  /** What a version does lately when no rollout deals its calls. */
  readUsual(version: string): ArmTally | undefined {
    return this.#store.usualOf(version, Date.now());
  }

  override async alarm(): Promise<void> {
    await this.#look();
  }

  /** One at a time: what arrives meanwhile is looked at afterwards. */
  async #look(): Promise<void> {
    this.#lookAgain = true;
    if (this.#looking) return;
    this.#looking = true;
    try {
      while (this.#lookAgain) {
        this.#lookAgain = false;
        await this.#lookOnce();
      }
    } catch (error) {
      console.error(
        JSON.stringify({ tally: "the registry cannot be reached", inMs: lookAgainMs, cause: String(error) }),
      );
      await this.ctx.storage.setAlarm(Date.now() + lookAgainMs);
    } finally {
      this.#looking = false;
    }
  }

  async #lookOnce(): Promise<void> {
    const name = this.#store.meta<string>("model");
    const model = name === undefined ? undefined : (await this.#readSnapshot()).models[name];
    if (model === undefined) return;
    if (model.rollout?.kind === "canary") await this.#judge(model.name, model.rollout);
    await this.#tellUsage(model);
  }

  async #judge(model: string, canary: Canary): Promise<void> {
    const nowMs = Date.now();
    const arms = this.#store.armsOf(canary.id);
    const before = this.#store.meta<CanaryWatch>("watch");
    const watch = watchCanary(canary, arms, before);
    if (watch !== before) this.#store.setMeta("watch", watch);
    const change = canaryChange(model, canary, canaryStep(canary, arms, watch, nowMs));
    if (change === undefined) {
      const stepEndsMs = canary.stepStartedAtMs + canary.stepMsMin;
      if (stepEndsMs > nowMs) await this.ctx.storage.setAlarm(stepEndsMs);
      return;
    }
    const done = await this.env.REGISTRY.getByName("registry").change(change, "controller");
    // Refused is: somebody else ended or moved it. Either way the registry is to be read anew.
    this.#snapshot = undefined;
    this.#lookAgain ||= done.ok;
  }

  async #readSnapshot(): Promise<Snapshot> {
    const nowMs = Date.now();
    if (this.#snapshot !== undefined && nowMs - this.#snapshot.atMs < snapshotMsMax) return this.#snapshot.value;
    const value = await this.env.REGISTRY.getByName("registry").snapshot();
    this.#snapshot = { value, atMs: nowMs };
    return value;
  }

  /** Once a minute, for what can be loaded at the edge, by the digest that names it everywhere. */
  async #tellUsage(model: RegisteredModel): Promise<void> {
    const nowMs = Date.now();
    if (nowMs - (this.#store.meta<number>("usageToldMs") ?? 0) < usageEveryMs) return;
    const usage = this.#usage();
    const used = model.versions
      .filter(({ manifest }) => manifest.tiers.includes("edge"))
      .map(({ version, digest }) => [digest, usage[version] ?? unused] as const);
    await this.env.HOT_LIST.getByName("hot").tell(Object.fromEntries(used));
    this.#store.setMeta("usageToldMs", nowMs);
  }

  #usage(): Readonly<Record<string, Usage>> {
    return this.#store.meta("usage") ?? {};
  }

  /** An alarm does not say whose it is. */
  #name(model: string): void {
    if (this.#store.meta("model") !== model) this.#store.setMeta("model", model);
  }
}

/** Calls that ran, per version: what the cache answered needs nothing loaded. */
function usageAfter(usage: Readonly<Record<string, Usage>>, batch: TallyBatch, nowMs: number) {
  const after = { ...usage };
  for (const [version, { success, cacheHit }] of Object.entries(batch.versions)) {
    after[version] = addUsage(after[version] ?? unused, success.count - cacheHit.count, nowMs);
  }
  return after;
}
