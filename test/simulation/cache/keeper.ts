import { type CacheChange, type CacheState, emptyCacheState, type Keyring } from "@ledge/contract";
import { cacheStep, firstKeyring, purgeScope, rotatedKeyring } from "@ledge/policy";
import type { Dice } from "./dice.ts";
import { kvWell, MoodyKv } from "./kv.ts";
import type { VirtualTime } from "./time.ts";

const rulesKey = "cache:current";
const keyringKey = (tenant: string) => `cache:keys:${tenant}`;

/** Something that ends what was kept before it. */
export interface Ending {
  readonly number: number;
  readonly atMs: number;
  /** When gateways could read of it; `Infinity` until then. */
  publishedMs: number;
  /** As `purgeScope` spells it; `keys:<tenant>` when the tenant's keys were destroyed. */
  readonly scope: string;
}

/** The owner of rules, purges and key salts, which publishes them late or, in a bad mood, very late. */
export class SimulatedKeeper {
  readonly snapshots: MoodyKv<unknown>;
  /** Every state there was, by its number. */
  readonly states: CacheState[] = [emptyCacheState];
  readonly endings: Ending[] = [];
  /** Publishing takes up to so long. */
  lateMsMax = 0;
  /** Whether it can be asked. */
  down = false;
  readonly #time: VirtualTime;
  readonly #dice: Dice;
  #publishing = Promise.resolve();
  readonly #rings = new Map<string, Keyring>();

  constructor(time: VirtualTime, dice: Dice) {
    this.#time = time;
    this.#dice = dice;
    this.snapshots = new MoodyKv<unknown>(time, dice, () => ({ number: 1_000_000, purges: "damaged" }));
  }

  get state(): CacheState {
    return this.states.at(-1) ?? emptyCacheState;
  }

  change(change: CacheChange): void {
    const { nowMs } = this.#time;
    const ring = "tenant" in change ? this.#rings.get(change.tenant) : undefined;
    if ("tenant" in change && ring === undefined) return;
    const step = cacheStep(this.state, change, nowMs);
    if (!step.ok || step.value.audit === undefined) return;
    const { state } = step.value;
    this.states.push(state);
    const { number } = state;
    const ending = { number, atMs: nowMs, publishedMs: Number.POSITIVE_INFINITY };
    if (change.kind === "purge") this.endings.push({ ...ending, scope: purgeScope(change.purge) });
    if (change.kind === "destroy-keys") this.endings.push({ ...ending, scope: `keys:${change.tenant}` });
    if (change.kind === "destroy-keys") this.#rings.delete(change.tenant);
    if (change.kind === "rotate-keys" && ring !== undefined) {
      this.#rings.set(change.tenant, rotatedKeyring(ring, number, this.#salt(), nowMs));
    }
    void this.#publish("tenant" in change ? change.tenant : undefined);
  }

  /** One at a time, so that nothing older is published over something newer. */
  #publish(tenant: string | undefined): Promise<void> {
    this.#publishing = this.#publishing.then(() => this.#publishNow(tenant));
    return this.#publishing;
  }

  async #publishNow(tenant: string | undefined): Promise<void> {
    await this.#time.sleep(this.#dice.between(0, this.lateMsMax));
    const { state } = this;
    if (tenant !== undefined) await this.#persist(keyringKey(tenant), () => this.#rings.get(tenant));
    await this.#persist(rulesKey, () => state);
    for (const ending of this.endings) {
      if (ending.number <= state.number) ending.publishedMs = Math.min(ending.publishedMs, this.#time.nowMs);
    }
  }

  /** Until it is done: a change that was saved is published whatever fails in between. */
  async #persist(key: string, value: () => unknown): Promise<void> {
    for (;;) {
      const written = await Promise.race([
        this.snapshots.write(key, value()).then(
          () => true,
          () => false,
        ),
        this.#time.sleep(2_000).then(() => false),
      ]);
      if (written) return;
    }
  }

  published(): Promise<unknown> {
    return this.snapshots.read(rulesKey);
  }

  publishedKeyring(tenant: string): Promise<unknown> {
    return this.snapshots.read(keyringKey(tenant));
  }

  async newerThan(number: number): Promise<CacheState | undefined> {
    await this.#answer();
    return this.state.number > number ? this.state : undefined;
  }

  async keyring(tenant: string, atLeast: number): Promise<Keyring> {
    await this.#answer();
    const known = this.#rings.get(tenant);
    if (known !== undefined) return known;
    const made = firstKeyring(
      tenant,
      Math.max(atLeast, this.state.keys[tenant] ?? 0),
      this.#salt(),
      this.#salt(),
      this.#time.nowMs,
    );
    this.#rings.set(tenant, made);
    void this.#publish(tenant);
    return made;
  }

  async #answer(): Promise<void> {
    await this.#time.sleep(this.#dice.between(1, 4) * 5);
    if (this.down) throw new Error("the keeper is down");
  }

  calm(): void {
    this.lateMsMax = 0;
    this.down = false;
    this.snapshots.mood = kvWell;
  }

  /** Drawn like everything else: names of answers follow from it, and so in which object calls meet. */
  #salt(): string {
    return Buffer.from(Array.from({ length: 32 }, () => this.#dice.between(0, 255))).toString("base64");
  }
}
