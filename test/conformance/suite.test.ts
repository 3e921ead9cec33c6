import { describe, expect, test } from "vitest";
import type { Rule } from "./cache/rule.ts";
import { rules } from "./cache/rules.ts";
import { type Fault, faults } from "./cache/specimen/faults.ts";
import { startSpecimen } from "./cache/specimen/gateway.ts";
import { Trial } from "./cache/trial.ts";
import { judge } from "./suite/judge.ts";
import { MockOrigin } from "./suite/mock-origin.ts";

/** A rule that cannot fail proves nothing, and one that cannot hold is nobody's fault. */

/** What a fault keeps from coming never comes, so there is no use in waiting for it. */
const impatient = { callMs: 10_000, keptMs: 300, purgedMs: 300, otherMs: 2_000 };

async function outcomes(chosen: readonly Rule[], fault?: Fault): Promise<Readonly<Record<string, string>>> {
  const origin = await MockOrigin.listen();
  const running = await startSpecimen(origin.url, fault);
  const trial = new Trial(running.target, origin, fault === undefined ? undefined : impatient);
  const found: [string, string][] = [];
  for (const rule of chosen) {
    const { outcome, note } = await judge(rule, trial);
    found.push([rule.id, outcome === "fail" && fault === undefined ? `fail: ${note}` : outcome]);
  }
  await running.close();
  await origin.close();
  return Object.fromEntries(found);
}

const all = (outcome: string, ids: readonly string[]) => Object.fromEntries(ids.map((id) => [id, outcome]));

test("a gateway that does everything right passes every rule", { timeout: 180_000 }, async () => {
  const ids = rules.map(({ id }) => id);
  expect(await outcomes(rules)).toEqual(all("pass", ids));
});

describe("a rule fails for a gateway that", () => {
  test.each(Object.entries(faults))("%s", { timeout: 120_000 }, async (fault, ids: readonly string[]) => {
    const chosen = rules.filter(({ id }) => ids.includes(id));
    expect(await outcomes(chosen, fault as Fault)).toEqual(all("fail", ids));
  });
});

test("every rule fails for some fault", () => {
  const found = new Set<string>(Object.values(faults).flat());
  const never = rules.map(({ id }) => id).filter((id) => !found.has(id));
  expect(never).toEqual([]);
});
