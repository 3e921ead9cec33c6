import type { InferenceService, Snapshot } from "@ledge/contract";
import { Accounts, type AccountsDeps } from "./accounts.ts";
import { Identity } from "./admit/identity.ts";
import { Limit } from "./admit/limit.ts";
import { Offences } from "./admit/offences.ts";
import type { Meters } from "./admit/ports.ts";
import { Standings } from "./admit/standings.ts";
import { Catalog } from "./assign/catalog.ts";
import { AnswerCache } from "./cache/answers.ts";
import { RoomFlights } from "./cache/flight/flights.ts";
import { MemoryAnswers } from "./cache/memory.ts";
import type { Flights } from "./cache/ports.ts";
import { Rules } from "./cache/rules.ts";
import { SealedLayer } from "./cache/sealed.ts";
import { Vault } from "./cache/vault.ts";
import { edgeTier } from "./dispatch/edge.ts";
import { FairGate, fairly } from "./dispatch/fair-gate.ts";
import { originTier } from "./dispatch/origin.ts";
import { Paces } from "./dispatch/paces.ts";
import type { Origins } from "./dispatch/ports.ts";
import { Shadows } from "./dispatch/shadow.ts";
import type { GatewayEnv } from "./env.ts";
import { RoomsBySlot } from "./flight-rooms.ts";
import { keptBy } from "./isolate.ts";
import { Tallies } from "./observe/tally.ts";
import { type Config, readConfig } from "./platform/config.ts";
import { digests, keyedHash } from "./platform/digests.ts";
import { portsOf } from "./platform/ports-of.ts";
import type { PublishedTenancy } from "./ports.ts";
import shipped from "./shipped-snapshot.json";

/** A quarter of the isolate's 128 MB. */
const memoryAnswersBytesMax = 32 * 1024 * 1024;
/** As many rows as a small batch: shadow copies share the tiers' queues with callers. */
const shadowsInFlightMax = 16;
/** Workers end what runs behind an answer after 30 s. */
const shadowTimeoutMs = 20_000;

/** Generated from what is shipped (`shipped.ts`), and held to it byte for byte by `npm run check`. */
const snapshot0 = shipped as unknown as Snapshot;

const newId = () => crypto.randomUUID();
/** What a part has to say to the operator. */
const sayOf = (part: string) => (what: string) => console.error(JSON.stringify({ [part]: what }));

/** Everything an isolate keeps between requests, wired once. */
export type Runtime = ReturnType<typeof wire>;

/** The isolate's runtime. Errors: `internal_error` with every wrong variable in its cause, until the next deployment. */
export const runtimeOf = keptBy(readConfig, wire);

function wire(env: GatewayEnv, config: Config) {
  const nowMs = () => Date.now();
  const {
    keys,
    tenancy,
    tokens,
    meters,
    book,
    wall,
    inference,
    origins,
    operator,
    jobs,
    registry,
    tallies,
    ledger,
    snapshots,
    flightRooms,
    entryPurger,
    ...cachePorts
  } = portsOf(env);
  // The equal calls of an isolate meet first, and one of them meets those of the others.
  const beyond = new RoomFlights({ rooms: flightRooms, nowMs });
  const flights = new RoomFlights({ rooms: new RoomsBySlot(nowMs, 0), nowMs, beyond });
  const standings = standingsOf(tenancy, config, nowMs);
  const accounts = accountsOf(ledger, config, nowMs);
  const door = { keys, digests, keyedHash: keyedHash(config.KEY_PEPPER) };
  return {
    config,
    nowMs,
    catalog: new Catalog({ shipped: snapshot0, store: snapshots, registry, say: sayOf("catalog"), nowMs }),
    gate: {
      identity: new Identity({ door, standings, digests, tokens, nowMs }),
      standings,
      limit: limitOf(meters, config, nowMs),
      accounts,
      offences: new Offences({ book, wall, isOn: config.ABUSE === "on", say: sayOf("abuse"), nowMs }),
    },
    accounts,
    ledger,
    flights,
    entryPurger,
    ...cacheOf(cachePorts, flights, config, nowMs),
    tiers: tiersOf(inference, origins, config, nowMs),
    shadows: new Shadows({ inFlightMax: shadowsInFlightMax, timeoutMs: shadowTimeoutMs, nowMs }),
    tallies: new Tallies({ sink: tallies, isolate: newId, nowMs, say: sayOf("tallies") }),
    counter: tallies,
    operator,
    jobs,
    digests,
  };
}

function standingsOf(published: PublishedTenancy, config: Config, nowMs: () => number): Standings {
  const keyLimits = { requests_per_minute: config.REQUESTS_PER_MINUTE_DEFAULT };
  return new Standings({ published, keyLimits, nowMs });
}

function accountsOf(ledger: AccountsDeps["ledger"], { TIMEOUT_MS_MAX: callMsMax }: Config, nowMs: () => number) {
  return new Accounts({ ledger, isolate: newId, callMsMax, nowMs, say: sayOf("accounts") });
}

function tiersOf(inference: InferenceService, origins: Origins, config: Config, nowMs: () => number) {
  return {
    edge: edgeTier(inference, nowMs),
    origin: fairOrigin(origins, config, nowMs),
    paces: new Paces(nowMs),
    nowMs,
  };
}

function fairOrigin(origins: Origins, config: Config, nowMs: () => number) {
  const { ORIGIN_IN_FLIGHT_MAX, ORIGIN_WAITING_MAX } = config;
  const gate = new FairGate({ inFlightMax: ORIGIN_IN_FLIGHT_MAX, waitingMax: ORIGIN_WAITING_MAX }, nowMs);
  return fairly(originTier(origins, nowMs), gate);
}

type CachePorts = Pick<
  ReturnType<typeof portsOf>,
  "answers" | "answersInWorkersCache" | "publishedRules" | "keyrings" | "semanticIndex"
>;

/** The answer cache, and the rules that it goes by. */
function cacheOf(ports: CachePorts, flights: Flights, config: Config, nowMs: () => number) {
  const store = new SealedLayer("kv", ports.answers);
  const inWorkersCache = new SealedLayer("workers-cache", ports.answersInWorkersCache);
  const say = sayOf("cache");
  const cacheRules = new Rules({ store: ports.publishedRules, say, nowMs });
  const cache = new AnswerCache({
    memory: new MemoryAnswers(memoryAnswersBytesMax, nowMs),
    far: config.WORKERS_CACHE === "on" ? inWorkersCache : store,
    store,
    rules: cacheRules,
    vault: new Vault({ secret: config.CACHE_SECRET, keyrings: ports.keyrings, nowMs }),
    flights,
    index: ports.semanticIndex,
    digests,
    policy: {
      ttl_s: config.CACHE_TTL_S,
      stale_while_revalidate_s: config.CACHE_STALE_WHILE_REVALIDATE_S,
      stale_if_error_s: config.CACHE_STALE_IF_ERROR_S,
    },
    nowMs,
  });
  return { cache, cacheRules };
}

function limitOf(meters: Meters, config: Config, nowMs: () => number): Limit {
  const sleep = (ms: number) => scheduler.wait(ms);
  return new Limit({ meters, newLease: leaseNames(), nowMs, sleep, callMsMax: config.TIMEOUT_MS_MAX });
}

/** Names of leases: an isolate may make ids only while it answers, so the first lease names it. */
function leaseNames(): () => string {
  let isolate: string | undefined;
  let leases = 0;
  return () => {
    isolate ??= crypto.randomUUID();
    leases++;
    return `${isolate}:${leases}`;
  };
}
