import { type CacheState, emptyCacheState, type PurgeRequest } from "@ledge/contract";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cacheStep } from "./keep.ts";
import { epochOf, type PurgeSubject, purgeKeptMs, purgeScope, scopesOf, withPurge } from "./purge.ts";

const hex = (digit: string) => digit.repeat(32);
const tenant = fc.constantFrom("acme", "globex", "a:b", "a", "a%3Ab", "constructor");
const model = fc.constantFrom("m", "n");
const version = fc.constantFrom("1", "2");
const tag = fc.constantFrom("faq", "b:c", "c", "b%3A");
const id = fc.constantFrom(hex("a"), hex("b"));

const anyPurge: fc.Arbitrary<PurgeRequest> = fc.oneof(
  { weight: 1, arbitrary: fc.constant({ all: true } as const) },
  { weight: 2, arbitrary: fc.record({ model }) },
  { weight: 3, arbitrary: fc.record({ model, version }) },
  { weight: 2, arbitrary: fc.record({ tenant }) },
  { weight: 4, arbitrary: fc.record({ tenant, tag }) },
  { weight: 4, arbitrary: fc.record({ tenant, key: id }) },
);
const anySubject = fc.record({ tenant, model, version, id, tags: fc.uniqueArray(tag, { maxLength: 3 }) });

/** Whether a purge is of something that the subject belongs to, said without scopes. */
function touches(purge: PurgeRequest, subject: PurgeSubject): boolean {
  if ("all" in purge) return true;
  if ("model" in purge) {
    return purge.model === subject.model && (purge.version ?? subject.version) === subject.version;
  }
  if (purge.tenant !== subject.tenant) return false;
  if ("tag" in purge) return subject.tags?.includes(purge.tag) === true;
  return "key" in purge ? purge.key === subject.id : true;
}

type Event = { readonly purge: PurgeRequest } | { readonly put: PurgeSubject };
const anyEvents = fc.array(fc.oneof(fc.record({ purge: anyPurge }), fc.record({ put: anySubject })), { maxLength: 60 });

interface Kept {
  readonly subject: PurgeSubject;
  /** What was known when it was put. */
  readonly number: number;
  readonly epoch: number;
  purged: boolean;
}

function after(state: CacheState, purge: PurgeRequest, nowMs: number): CacheState {
  const step = cacheStep(state, { kind: "purge", purge }, nowMs);
  if (!step.ok) throw new Error(JSON.stringify(step.fault));
  return step.value.state;
}

/** Plays events, and tells of what was kept whether it was purged since, by {@link touches}. */
function play(events: readonly Event[], purge: (state: CacheState, purge: PurgeRequest, i: number) => CacheState) {
  let state: CacheState = emptyCacheState;
  const kept: Kept[] = [];
  for (const [i, event] of events.entries()) {
    if ("put" in event) {
      const subject = event.put;
      kept.push({ subject, number: state.number, epoch: epochOf(state, scopesOf(subject)), purged: false });
    } else {
      state = purge(state, event.purge, i);
      for (const entry of kept) entry.purged ||= touches(event.purge, entry.subject);
    }
  }
  return { state, kept };
}

const valid = ({ subject, number }: Kept, state: CacheState) => epochOf(state, scopesOf(subject)) <= number;
const sameSlot = ({ subject, epoch }: Kept, state: CacheState) => epochOf(state, scopesOf(subject)) === epoch;

describe("whatever the order of purges and answers", () => {
  test("an answer from before a purge of one of its scopes is never valid after, and one outside them stays valid", () => {
    fc.assert(
      fc.property(anyEvents, (events) => {
        const { state, kept } = play(events, after);
        for (const entry of kept) {
          expect(valid(entry, state)).toBe(!entry.purged);
          expect(sameSlot(entry, state)).toBe(!entry.purged);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test("too many purges make coarser ones: nothing purged becomes valid again, and their number stays bounded", () => {
    const most = 4;
    const purgeFew = (state: CacheState, purge: PurgeRequest, i: number): CacheState => {
      const number = state.number + 1;
      return { ...state, number, purges: withPurge(state.purges, purgeScope(purge), { number, atMs: i }, most) };
    };
    fc.assert(
      fc.property(anyEvents, (events) => {
        const { state, kept } = play(events, purgeFew);
        expect(Object.keys(state.purges).length).toBeLessThanOrEqual(most);
        for (const entry of kept) if (entry.purged) expect(valid(entry, state)).toBe(false);
        for (const entry of kept) if (entry.purged) expect(sameSlot(entry, state)).toBe(false);
      }),
      { numRuns: 1_000 },
    );
  });

  test("a purge is forgotten only when everything from before it has expired", () => {
    const gapMs = fc.integer({ min: 0, max: purgeKeptMs });
    fc.assert(
      fc.property(fc.array(fc.tuple(gapMs, anyPurge), { minLength: 1, maxLength: 20 }), (purges) => {
        let state: CacheState = emptyCacheState;
        let nowMs = 0;
        const done: { purge: PurgeRequest; number: number; atMs: number }[] = [];
        for (const [waitedMs, purge] of purges) {
          nowMs += waitedMs;
          state = after(state, purge, nowMs);
          done.push({ purge, number: state.number, atMs: nowMs });
        }
        for (const { purge, number, atMs } of done) {
          const epoch = epochOf(state, scopesOf(subjectOf(purge)));
          if (nowMs - atMs <= purgeKeptMs) expect(epoch).toBeGreaterThanOrEqual(number);
        }
        const oldest = Object.values(state.purges).map(({ atMs }) => nowMs - atMs);
        expect(Math.max(...oldest)).toBeLessThanOrEqual(purgeKeptMs);
      }),
    );
  });
});

/** Something that a purge touches. */
function subjectOf(purge: PurgeRequest): PurgeSubject {
  const any = { tenant: "t", model: "m", version: "1", id: hex("0") };
  if ("all" in purge) return any;
  if ("model" in purge) return { ...any, model: purge.model, version: purge.version ?? "1" };
  const { tenant } = purge;
  if ("tag" in purge) return { ...any, tenant, tags: [purge.tag] };
  return "key" in purge ? { ...any, tenant, id: purge.key } : { ...any, tenant };
}

describe("a purge", () => {
  test.each([
    [{ all: true }, "all"],
    [{ tenant: "acme" }, "tenant:acme"],
    [{ model: "m" }, "model:m"],
    [{ model: "m", version: "2" }, "version:m@2"],
    [{ tenant: "acme", tag: "a:b" }, "tag:acme:a:b"],
    [{ tenant: "acme", key: hex("a") }, `key:acme:${hex("a")}`],
    [{ tenant: "urn:x:1", tag: "b" }, "tag:urn%3Ax%3A1:b"],
  ] as const)("of %j is remembered as %s", (purge, scope) => {
    expect(purgeScope(purge)).toBe(scope);
    expect(Object.keys(after(emptyCacheState, purge, 0).purges)).toEqual([scope]);
  });

  test("of everything, of a tenant or of a model makes the finer ones of before needless", () => {
    const purges = (requests: readonly PurgeRequest[]) =>
      Object.keys(requests.reduce((state, purge) => after(state, purge, 0), emptyCacheState).purges);
    const fine = [
      { tenant: "acme", tag: "a" },
      { tenant: "acme", key: hex("a") },
      { model: "m", version: "1" },
      { tenant: "globex", tag: "a" },
    ];
    expect(purges([...fine, { tenant: "acme" }])).toEqual(["version:m@1", "tag:globex:a", "tenant:acme"]);
    expect(purges([...fine, { model: "m" }])).toEqual([
      "tag:acme:a",
      `key:acme:${hex("a")}`,
      "tag:globex:a",
      "model:m",
    ]);
    expect(purges([...fine, { all: true }])).toEqual(["all"]);
  });

  test("beyond ten thousand makes the older half of one tenant's one of the tenant", () => {
    const tags = Array.from({ length: 10_000 }, (_, i) => [`tag:${i < 10 ? "small" : "big"}:${i}`, i + 1] as const);
    const full = Object.fromEntries(tags.map(([scope, number]) => [scope, { number, atMs: number }]));
    const purges = withPurge(full, "tag:small:new", { number: 10_001, atMs: 10_001 });
    expect(Object.keys(purges).length).toBeLessThanOrEqual(10_000);
    expect(Object.keys(purges).filter((scope) => scope.startsWith("tag:small:"))).toHaveLength(11);
    expect(purges["tenant:big"]).toEqual({ number: 5_005, atMs: 5_005 });
  });
});
