import { DurableObject } from "cloudflare:workers";
import { ok, type RegistryChange, type RegistryState, type Result, type Snapshot } from "@ledge/contract";
import { registryStep } from "@ledge/policy";
import type { OperatorEnv } from "../../env.ts";
import { shippedPackages } from "../../shipped.ts";
import { digests } from "../digests.ts";
import type { AuditQuery, HashedRow } from "./audit-log.ts";
import { publish } from "./publish.ts";
import { RegistryStore } from "./registry-store.ts";

/** KV takes one write a second to a key: changes that come faster are published together. */
const publishEveryMs = 1_000;
const retryMsMax = 30_000;

/**
 * The one owner of models, versions, aliases and rollouts: load, decide (`registryStep`), save in one transaction, publish.
 * Publishing is the alarm's: it is set in the same write as the change, so a change that was saved is published whatever
 * dies in between.
 */
export class Registry extends DurableObject<OperatorEnv> {
  readonly #store: RegistryStore;
  #state: RegistryState;
  #failures = 0;

  constructor(ctx: DurableObjectState, env: OperatorEnv) {
    super(ctx, env);
    this.#store = new RegistryStore(ctx.storage.sql);
    this.#state = this.#store.load();
    this.#takeShipped();
    if (this.#latestPublished() < this.#state.number) this.#publishSoon();
  }

  /** `changed` is false when what was asked for is so already. Errors: those of `registryStep`. */
  change(change: RegistryChange, who: string): Result<{ readonly number: number; readonly changed: boolean }> {
    const before = this.#state.number;
    const done = this.#take(change, who);
    if (!done.ok) return done;
    const changed = this.#state.number > before;
    if (changed) this.#publishSoon();
    return ok({ number: this.#state.number, changed });
  }

  snapshot(): Snapshot {
    return this.#state;
  }

  /** For a gateway that knows another number. */
  newerThan(number: number): Snapshot | undefined {
    return this.#state.number > number ? this.#state : undefined;
  }

  audit(query: AuditQuery): readonly HashedRow[] {
    return this.#store.log.read(query);
  }

  /** A gateway found what is shipped missing: being called has loaded it. Publishes again what was lost when it is. */
  wake(unpublished: boolean): void {
    if (!unpublished) return;
    this.#store.setMeta("published", []);
    this.#publishSoon();
  }

  override async alarm(): Promise<void> {
    const state = this.#state;
    if (this.#latestPublished() === state.number) return;
    try {
      const published = await publish(this.env.SNAPSHOTS, state, this.#published());
      this.#store.setMeta("published", published);
      this.#store.setMeta("publishedAtMs", Date.now());
      this.#failures = 0;
    } catch (error) {
      const inMs = Math.min(publishEveryMs * 2 ** this.#failures++, retryMsMax);
      console.error(JSON.stringify({ registry: "a snapshot could not be published", inMs, cause: String(error) }));
      await this.ctx.storage.setAlarm(Date.now() + inMs);
      return;
    }
    if (this.#state.number > state.number) this.#publishSoon();
  }

  #take(change: RegistryChange, who: string): Result<true> {
    const atMs = Date.now();
    const step = registryStep(this.#state, change, atMs);
    if (!step.ok) return step;
    const { state, audit } = step.value;
    if (audit === undefined) return ok(true);
    this.ctx.storage.transactionSync(() => {
      this.#store.save(this.#state, state);
      this.#store.log.add({ number: state.number, atMs, who, ...audit });
    });
    this.#state = state;
    return ok(true);
  }

  /** Each shipped package once: one that an operator removed does not come back with the next deployment. */
  #takeShipped(): void {
    const taken = new Set(this.#store.meta<string[]>("shipped"));
    const shipped = shippedPackages(digests.sha256Hex).filter(({ digest }) => !taken.has(digest));
    if (shipped.length === 0) return;
    for (const change of shipped) this.#take(change, "deployment");
    this.#store.setMeta("shipped", [...taken, ...shipped.map(({ digest }) => digest)]);
  }

  #published(): readonly number[] {
    return this.#store.meta<number[]>("published") ?? [];
  }

  #latestPublished(): number {
    return this.#published().at(-1) ?? -1;
  }

  /** Not awaited: what is written without an `await` in between reaches the disk together, and is there before an answer leaves. */
  #publishSoon(): void {
    const earliestMs = (this.#store.meta<number>("publishedAtMs") ?? 0) + publishEveryMs;
    void this.ctx.storage.setAlarm(Math.max(Date.now(), earliestMs));
  }
}
