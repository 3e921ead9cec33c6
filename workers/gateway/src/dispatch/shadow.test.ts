import { fail, ok, type Result } from "@ledge/contract";
import { expect, test } from "vitest";
import { Shadows } from "./shadow.ts";

function shadows(inFlightMax = 2) {
  const clock = { nowMs: 1_000 };
  return { clock, shadows: new Shadows({ inFlightMax, timeoutMs: 500, nowMs: () => clock.nowMs }) };
}

test("a copy has a deadline of its own, and says what it took", async () => {
  const { clock, shadows: copies } = shadows();
  const copy = await copies.copy(async (deadlineMs) => {
    expect(deadlineMs).toBe(1_500);
    clock.nowMs += 20;
    return ok("answer");
  });
  expect(copy).toEqual({ kind: "answered", value: "answer", latencyMs: 20 });
});

test("a copy that fails, by a value or a throw, hurts nobody", async () => {
  const { shadows: copies } = shadows();
  expect(await copies.copy(async () => fail("overloaded"))).toMatchObject({ kind: "failed", code: "overloaded" });
  const thrown = copies.copy(async () => {
    throw new Error("boom");
  });
  expect(await thrown).toMatchObject({ kind: "failed", code: "internal_error" });
});

test("no more copies are under way at once than allowed; the others are skipped, not queued", async () => {
  const { shadows: copies } = shadows();
  const release: (() => void)[] = [];
  const held = () => copies.copy(() => new Promise<Result<number>>((resolve) => release.push(() => resolve(ok(1)))));
  const flying = [held(), held()];
  expect(await held()).toEqual({ kind: "skipped" });
  for (const go of release) go();
  await Promise.all(flying);
  expect(await copies.copy(async () => ok(2))).toMatchObject({ kind: "answered" });
});

test("a copy whose request was cut off gives its place back at its deadline", async () => {
  const { clock, shadows: copies } = shadows(1);
  void copies.copy(() => new Promise(() => undefined));
  expect(await copies.copy(async () => ok(1))).toEqual({ kind: "skipped" });
  clock.nowMs += 501;
  expect(await copies.copy(async () => ok(1))).toMatchObject({ kind: "answered" });
});
