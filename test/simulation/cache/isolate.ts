import type { CachePolicy } from "@ledge/contract";
import { AnswerCache } from "../../../workers/gateway/src/cache/answers.ts";
import { RoomFlights } from "../../../workers/gateway/src/cache/flight/flights.ts";
import { MemoryAnswers } from "../../../workers/gateway/src/cache/memory.ts";
import type {
  AnswerLayer,
  Flights,
  Keyrings,
  RulesStore,
  SealedBytes,
} from "../../../workers/gateway/src/cache/ports.ts";
import { Rules } from "../../../workers/gateway/src/cache/rules.ts";
import { SealedLayer } from "../../../workers/gateway/src/cache/sealed.ts";
import { Vault } from "../../../workers/gateway/src/cache/vault.ts";
import { RoomsBySlot } from "../../../workers/gateway/src/flight-rooms.ts";
import { noIndex, testDigests } from "../../support/cache-isolate.ts";
import type { SimulatedKeeper } from "./keeper.ts";
import type { MoodyKv } from "./kv.ts";
import type { Ledger } from "./ledger.ts";
import type { SimulatedRooms } from "./rooms.ts";
import type { VirtualTime } from "./time.ts";

/** What every isolate of the deployment shares. */
export interface Deployment {
  readonly time: VirtualTime;
  readonly keeper: SimulatedKeeper;
  readonly answers: MoodyKv<Uint8Array>;
  readonly rooms: SimulatedRooms;
  readonly ledger: Ledger;
}

export const deploymentPolicy = {
  ttl_s: 20,
  ttl_s_max: 600,
  stale_while_revalidate_s: 5,
  stale_if_error_s: 30,
  vary: ["accept-language"],
} satisfies CachePolicy;

/** Small, so that answers are pushed out. */
const memoryBytesMax = 80_000;
const secret = "a-secret-of-at-least-32-characters";

/** One gateway isolate, with the cache's own code in it. Killed, it hears nothing any more. */
export class Isolate {
  readonly name: string;
  readonly cache: AnswerCache;
  readonly flights: Flights;
  readonly rules: Rules;
  /** The highest number of the rules that it was given. */
  heard = 0;
  /** When it last asked for the rules and got an answer; milliseconds since 1970. */
  readMs = 0;
  dead = false;
  /** Rejects when it is killed. */
  readonly killed: Promise<never>;
  /** The version it takes for the stable one, by model. */
  readonly stable = new Map<string, string>();
  #dies: (() => void)[] = [];

  constructor(name: string, deployment: Deployment) {
    const { time, rooms, ledger, answers } = deployment;
    const nowMs = () => time.nowMs;
    this.name = name;
    this.killed = new Promise((_, reject) => this.onDeath(() => reject(new Error("the isolate is gone"))));
    this.killed.catch(() => undefined);
    const kv = new SealedLayer("kv", this.#sealedBytes(answers));
    const store: AnswerLayer = {
      name: "kv",
      get: (address) => kv.get(address),
      put: (address, entry, keepS) => ledger.keeping(this, entry, kv.put(address, entry, keepS)),
    };
    const beyond = new RoomFlights({ rooms: rooms.seenFrom(this), nowMs });
    this.flights = new RoomFlights({ rooms: new RoomsBySlot(nowMs, 0), nowMs, beyond });
    this.rules = new Rules({ store: this.#rulesStore(deployment), say: () => undefined, nowMs });
    this.cache = new AnswerCache({
      memory: new MemoryAnswers(memoryBytesMax, nowMs),
      far: kv,
      store,
      rules: this.rules,
      vault: new Vault({ secret, keyrings: this.#keyrings(deployment), nowMs }),
      flights: this.flights,
      index: noIndex,
      digests: testDigests,
      policy: deploymentPolicy,
      nowMs,
    });
  }

  onDeath(then: () => void): void {
    this.#dies.push(then);
  }

  kill(): void {
    this.dead = true;
    for (const then of this.#dies.splice(0)) then();
  }

  /** What comes from elsewhere, unless nobody is there to hear it. */
  async #reach<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } finally {
      if (this.dead) await new Promise(() => undefined);
    }
  }

  #sealedBytes(answers: MoodyKv<Uint8Array>): SealedBytes {
    return {
      get: (slot) => this.#reach(answers.read(slot)),
      put: (slot, bytes) => this.#reach(answers.write(slot, bytes)),
    };
  }

  #rulesStore({ keeper, time }: Deployment): RulesStore {
    return {
      current: async () => {
        const askedMs = time.nowMs;
        const read = await this.#reach(keeper.published());
        if (read === undefined || isState(read)) this.readMs = Math.max(this.readMs, askedMs);
        if (isState(read)) this.heard = Math.max(this.heard, read.number);
        return read;
      },
      newerThan: async (number) => {
        const newer = await this.#reach(keeper.newerThan(number));
        this.heard = Math.max(this.heard, newer?.number ?? 0);
        return newer;
      },
    };
  }

  #keyrings({ keeper }: Deployment): Keyrings {
    return {
      published: (tenant) => this.#reach(keeper.publishedKeyring(tenant)),
      made: (tenant, atLeast) => this.#reach(keeper.keyring(tenant, atLeast)),
    };
  }
}

function isState(read: unknown): read is { readonly number: number } {
  return typeof read === "object" && read !== null && "number" in read && "purges" in read && read.purges !== "damaged";
}
