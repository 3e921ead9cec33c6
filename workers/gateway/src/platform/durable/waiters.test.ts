import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Waiters } from "./waiters.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("whoever waits hears of it when it is so, and not of what is so for others", async () => {
  const waiters = new Waiters();
  let published = 0;
  const heard: number[] = [];
  for (const number of [1, 2]) void waiters.until(() => published >= number, 1_000).then(() => heard.push(number));
  published = 1;
  waiters.tell();
  await vi.advanceTimersByTimeAsync(0);
  expect(heard).toEqual([1]);
  published = 2;
  waiters.tell();
  await vi.advanceTimersByTimeAsync(0);
  expect(heard).toEqual([1, 2]);
});

test("nobody waits for what is so already", async () => {
  expect(await new Waiters().until(() => true, 1_000)).toBe(true);
});

test("whoever waits in vain hears so in time", async () => {
  const waiting = new Waiters().until(() => false, 1_000);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await waiting).toBe(false);
});
