import { type CacheChange, type CacheState, cachePolicy, cacheState, emptyCacheState } from "@ledge/contract";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cacheStep, policyIssues, policyOf } from "./keep.ts";

const stateAfter = (state: CacheState, change: CacheChange): CacheState => {
  const step = cacheStep(state, change, 0);
  return step.ok ? step.value.state : state;
};
const ofModel = (policy: { ttl_s?: number } | null, name = "m") =>
  ({ kind: "set-policy", of: "model", name, policy }) as const;

describe("a policy", () => {
  test("of a model or a tenant is set, replaced and taken away, each under a new number and with what was before", () => {
    const set = cacheStep(emptyCacheState, ofModel({ ttl_s: 60 }), 0);
    if (!set.ok) throw new Error("refused");
    expect(set.value.audit).toEqual({ kind: "set-policy", scope: "model:m", from: null, to: { ttl_s: 60 } });
    const replaced = cacheStep(set.value.state, ofModel({ ttl_s: 90 }), 0);
    if (!replaced.ok) throw new Error("refused");
    expect(replaced.value.audit).toMatchObject({ from: { ttl_s: 60 }, to: { ttl_s: 90 } });
    const gone = stateAfter(replaced.value.state, ofModel(null));
    expect(gone).toEqual({ ...emptyCacheState, number: 3 });
  });

  test("that is so already changes nothing, the number neither", () => {
    const state = stateAfter(emptyCacheState, ofModel({ ttl_s: 60 }));
    expect(cacheStep(state, ofModel({ ttl_s: 60 }), 0)).toEqual({ ok: true, value: { state } });
    expect(cacheStep(emptyCacheState, ofModel(null), 0)).toEqual({ ok: true, value: { state: emptyCacheState } });
  });

  test("that contradicts itself is refused with every fault at once, and changes nothing", () => {
    const policy = {
      ttl_s: 60,
      ttl_s_max: 30,
      vary: ["accept-language", "accept-language"],
      semantic: { candidates_max: 8, entries_max: 5 },
    };
    expect(cachePolicy.safeParse(policy).success).toBe(true);
    const step = cacheStep(emptyCacheState, ofModel(policy), 0);
    expect(step).toMatchObject({ ok: false, fault: { code: "invalid_request" } });
    const paths = policyIssues(policy).map(({ path }) => path);
    expect(paths).toEqual(["ttl_s", "vary", "semantic.candidates_max"]);
  });

  test("belongs to its own name only, whatever else an object has by that name", () => {
    for (const name of ["constructor", "toString", "hasOwnProperty"]) {
      expect(policyOf(emptyCacheState, "tenant", name)).toBeUndefined();
      const state = stateAfter(emptyCacheState, { kind: "set-policy", of: "tenant", name, policy: { ttl_s: 5 } });
      expect(policyOf(state, "tenant", name)).toEqual({ ttl_s: 5 });
      expect(policyOf(state, "model", name)).toBeUndefined();
    }
  });
});

test("rotating or destroying a tenant's keys says at which number, so that gateways take the new ones", () => {
  const rotated = stateAfter(emptyCacheState, { kind: "rotate-keys", tenant: "acme" });
  const destroyed = stateAfter(rotated, { kind: "destroy-keys", tenant: "acme" });
  expect(rotated.keys).toEqual({ acme: 1 });
  expect(destroyed.keys).toEqual({ acme: 2 });
});

test("in whatever order changes come, the number grows by one with each, and the state stays what gateways take", () => {
  const name = fc.constantFrom("a", "b", "constructor");
  const policy = fc.oneof(fc.constant(null), fc.record({ ttl_s: fc.integer({ min: 1, max: 9 }) }));
  const change: fc.Arbitrary<CacheChange> = fc.oneof(
    fc.record({
      kind: fc.constant("set-policy" as const),
      of: fc.constantFrom("model" as const, "tenant" as const),
      name,
      policy,
    }),
    fc.record({ kind: fc.constant("purge" as const), purge: fc.record({ tenant: name }) }),
    fc.record({ kind: fc.constantFrom("rotate-keys" as const, "destroy-keys" as const), tenant: name }),
  );
  fc.assert(
    fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
      let state: CacheState = emptyCacheState;
      for (const [i, one] of changes.entries()) {
        const text = JSON.stringify(state);
        const step = cacheStep(state, one, i);
        expect(JSON.stringify(state)).toBe(text);
        if (!step.ok) throw new Error(JSON.stringify(step.fault));
        const { state: next, audit } = step.value;
        expect(next.number).toBe(state.number + (audit === undefined ? 0 : 1));
        expect(cacheState.parse(JSON.parse(JSON.stringify(next)))).toEqual(next);
        state = next;
      }
    }),
  );
});
