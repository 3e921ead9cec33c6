import { fail, ok } from "@ledge/contract";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { inTime, within } from "./in-time.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const never = () => new Promise<never>(() => undefined);

describe("work that is waited for in time", () => {
  test("gives what it gives, and leaves no timer behind", async () => {
    expect(await inTime(50, Promise.resolve(1))).toBe(1);
    expect(await within(50, async () => ok(1))).toEqual(ok(1));
    expect(vi.getTimerCount()).toBe(0);
  });

  test("gives nothing, or the fault of a deadline, when it takes longer", async () => {
    const waited = Promise.all([inTime(50, never()), within(50, never)]);
    await vi.advanceTimersByTimeAsync(50);
    expect(await waited).toEqual([undefined, fail("deadline_exceeded")]);
  });

  test("is not begun when its time is over", async () => {
    const work = vi.fn(never);
    expect(await within(0, work)).toEqual(fail("deadline_exceeded"));
    expect(work).not.toHaveBeenCalled();
  });

  test("that fails gives nothing where only its answer counts, and is a bug where its fault would be told", async () => {
    const bug = () => Promise.reject(new Error("a bug"));
    expect(await inTime(50, bug())).toBeUndefined();
    await expect(within(50, bug)).rejects.toThrow("a bug");
  });
});
