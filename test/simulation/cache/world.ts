import type { Asked } from "./asked.ts";
import { type Got, models, put, someCall, tags, tenants } from "./calls.ts";
import { Checks, describe } from "./checks.ts";
import { Dice } from "./dice.ts";
import { type Deployment, Isolate } from "./isolate.ts";
import { SimulatedKeeper } from "./keeper.ts";
import { damaged, kvMoods, kvWell, MoodyKv } from "./kv.ts";
import { Ledger } from "./ledger.ts";
import { originMoods, originWell, SimulatedOrigin } from "./origin.ts";
import { roomsMoods, roomsWell, SimulatedRooms } from "./rooms.ts";
import type { Action, Temper } from "./tempers.ts";
import type { VirtualTime } from "./time.ts";

const isolatesMax = 4;

/** A deployment of a few isolates, its callers, its operator and everything that may go wrong, one random step at a time. */
export class World implements Deployment {
  readonly time: VirtualTime;
  readonly dice: Dice;
  readonly keeper: SimulatedKeeper;
  readonly answers: MoodyKv<Uint8Array>;
  readonly rooms: SimulatedRooms;
  readonly ledger: Ledger;
  /** What is wrong, in words. */
  readonly wrong: string[] = [];
  /** What happened how often, to tell that it did. */
  readonly seen: Record<string, number> = {};
  readonly #temper: Temper;
  readonly #origin: SimulatedOrigin;
  readonly #checks: Checks;
  readonly #asked = new Map<string, Asked>();
  /** Those that wait for their answer. */
  readonly #open = new Map<string, Asked>();
  readonly #stable = new Map<string, string>();
  readonly #isolates: Isolate[] = [];
  /** Entries that callers were told of, to be purged. */
  readonly #toldOf: { readonly tenant: string; readonly key: string }[] = [];
  #born = 0;
  #calls = 0;

  constructor(temper: Temper, seed: number, time: VirtualTime) {
    const dice = new Dice(seed);
    const say = (wrong: string) => void this.wrong.push(wrong);
    this.time = time;
    this.dice = dice;
    this.#temper = temper;
    this.keeper = new SimulatedKeeper(time, dice);
    this.answers = new MoodyKv<Uint8Array>(time, dice, (bytes) => damaged(bytes, dice));
    this.rooms = new SimulatedRooms(time, dice);
    this.#origin = new SimulatedOrigin(time, dice, (id) => this.#askedBy(id));
    this.ledger = new Ledger(time, this.#origin.works, this.keeper, say);
    this.#checks = new Checks(time, this.keeper, this.#origin.works, this.ledger, say);
    this.#checks.wells = () => ({
      answers: this.answers.wellSinceMs,
      snapshots: this.keeper.snapshots.wellSinceMs,
      rooms: this.rooms.mood === roomsWell ? "well" : "slow",
    });
    if (temper.calm) this.#origin.onStart = (work) => this.#checks.startsAlone(work);
    for (let at = 0; at < isolatesMax; at++) this.#isolates.push(this.#isolate());
  }

  async step(): Promise<void> {
    const { dice, time } = this;
    const action = dice.weighted(this.#temper.actions);
    this.#count(action);
    this.#acts[action]();
    // Most things come at once, some a while later, and now and then nothing happens for long.
    const pause = dice.weighted({ none: 50, short: 40, second: 8, long: 1.5, minute: 0.3 });
    const ms = {
      none: 0,
      short: dice.between(1, 10) * 5,
      second: dice.between(200, 3_000),
      long: 12_000,
      minute: 65_000,
    };
    await time.pass(ms[pause]);
    this.#lost();
  }

  /** Lets everything come to its end. */
  async end(): Promise<void> {
    await this.time.pass(120_000);
    this.#lost();
  }

  readonly #acts: Readonly<Record<Action, () => void>> = {
    call: () => this.#call(this.#someIsolate(), 1),
    burst: () => this.#call(this.#someIsolate(), this.dice.between(2, 6)),
    leave: () => this.#leave(),
    purge: () => this.keeper.change({ kind: "purge", purge: this.#somePurge() }),
    policy: () => this.#policy(),
    rotate: () => this.keeper.change({ kind: "rotate-keys", tenant: this.dice.pick(tenants) }),
    destroy: () => this.keeper.change({ kind: "destroy-keys", tenant: this.dice.pick(tenants) }),
    register: () => this.#register(),
    hear: () => this.#hear(this.#someIsolate()),
    "catch-up": () => void this.#someIsolate().rules.catchUp(),
    kill: () => this.#kill(),
    evict: () => this.rooms.evictOne(),
    mood: () => this.#mood(),
    recover: () => this.#recover(),
  };

  #someIsolate(): Isolate {
    return this.dice.pick(this.#isolates);
  }

  /** Equal calls, to this isolate and others. */
  #call(isolate: Isolate, times: number): void {
    const asked = this.#someCall(isolate);
    this.#follow(asked);
    for (let at = 1; at < times; at++) {
      const other = this.dice.pick(this.#isolates);
      const id = `call-${this.#calls++}`;
      const form = asked.form === "labels" ? "labels" : this.dice.pick(["whole", "stream"] as const);
      this.#follow({ ...asked, id, isolate: other, heard: other.heard, form, caller: new AbortController() });
    }
  }

  #someCall(isolate: Isolate): Asked {
    return someCall(`call-${this.#calls++}`, this.dice, isolate, this.time.nowMs, this.#temper.patience);
  }

  #follow(asked: Asked): void {
    this.#asked.set(asked.id, asked);
    this.#open.set(asked.id, asked);
    void this.#ask(asked);
  }

  async #ask(asked: Asked): Promise<void> {
    try {
      const got = await put(asked, this.#origin, this.time);
      if (asked.isolate.dead || asked.caller.signal.aborted) return;
      this.#open.delete(asked.id);
      this.#note(asked, got);
      this.#checks.answered(asked, got);
    } catch (bug) {
      const why = bug instanceof Error ? bug.stack : String(bug);
      if (!asked.isolate.dead) this.wrong.push(`a call threw: ${describe(asked)} ${why}`);
    }
  }

  #note({ question: { tenant } }: Asked, { kind, outcome }: Got): void {
    if (outcome?.id !== undefined) this.#toldOf.splice(0, this.#toldOf.length - 4, { tenant, key: outcome.id });
    const where = outcome?.kind === "hit" ? (outcome.stale ?? outcome.layer) : outcome;
    const how =
      typeof where === "string"
        ? where
        : where?.failed
          ? "stale-if-error"
          : where?.collapsed
            ? "collapsed"
            : where?.why;
    this.#count(kind === "answer" ? `answer by ${how}` : kind);
    if (outcome?.unsealed) this.#count("unsealed");
  }

  #count(what: string): void {
    this.seen[what] = (this.seen[what] ?? 0) + 1;
  }

  /** Calls that nobody answered though their time is over. */
  #lost(): void {
    for (const [id, asked] of this.#open) {
      if (asked.isolate.dead || asked.caller.signal.aborted) this.#open.delete(id);
      else if (this.time.nowMs > asked.deadlineMs + 3_000) {
        this.#open.delete(id);
        this.wrong.push(`a call was never answered: ${describe(asked)}`);
      }
    }
  }

  #askedBy(id: string): Asked {
    const asked = this.#asked.get(id);
    if (asked === undefined) throw new Error(`nobody asked ${id}`);
    return asked;
  }

  #leave(): void {
    if (this.#open.size === 0) return;
    this.dice.pick([...this.#open.values()]).caller.abort();
  }

  #somePurge() {
    const { dice } = this;
    const tenant = dice.pick(tenants);
    const model = dice.pick([...models.chat, ...models.labels]);
    const version = this.#stable.get(model) ?? "1";
    return dice.pick([
      { all: true as const },
      { tenant },
      { model },
      { model, version },
      { tenant, tag: dice.pick(tags) },
      { tenant, tag: dice.pick(tags) },
      this.#toldOf.length === 0 ? { tenant } : dice.pick(this.#toldOf),
    ]);
  }

  #policy(): void {
    const { dice, keeper } = this;
    const of = dice.pick(["model", "tenant"] as const);
    const name = of === "tenant" ? dice.pick(tenants) : dice.pick([...models.chat, ...models.labels]);
    const policies = [
      null,
      { ttl_s: 2 },
      { ttl_s: 60, stale_while_revalidate_s: 20 },
      { stale_while_revalidate_s: 0, stale_if_error_s: 0 },
      { stale_if_error_s: 60 },
      { ttl_s_max: 50 },
      { enabled: false },
    ];
    keeper.change({ kind: "set-policy", of, name, policy: dice.pick(policies) });
  }

  #register(): void {
    const model = this.dice.pick([...models.chat, ...models.labels]);
    // A new one, or back to an old one.
    this.#stable.set(model, String(this.dice.between(1, 3)));
  }

  #hear(isolate: Isolate): void {
    for (const [model, version] of this.#stable) isolate.stable.set(model, version);
  }

  #isolate(): Isolate {
    const isolate = new Isolate(`isolate-${this.#born++}`, this);
    this.#hear(isolate);
    return isolate;
  }

  #kill(): void {
    const at = this.dice.between(0, this.#isolates.length - 1);
    this.#isolates[at]?.kill();
    this.#isolates[at] = this.#isolate();
  }

  #mood(): void {
    const { dice, keeper } = this;
    const { troubles } = this.#temper;
    if (troubles.length === 0) return;
    switch (dice.pick(troubles)) {
      case "kv":
        this.answers.mood = dice.pick(kvMoods);
        return;
      case "rules":
        keeper.snapshots.mood = dice.pick(kvMoods);
        keeper.lateMsMax = dice.pick([0, 1_000, 20_000]);
        keeper.down = dice.comes(0.3);
        return;
      case "rooms":
        this.rooms.mood = dice.pick(roomsMoods);
        return;
      case "origin":
        this.#origin.mood = dice.pick(originMoods);
    }
  }

  #recover(): void {
    this.answers.mood = kvWell;
    this.keeper.calm();
    this.rooms.mood = roomsWell;
    this.#origin.mood = originWell;
  }
}
