import { expect, test } from "vitest";
import { faultOfCallOff } from "../call-off.ts";
import { Deadline, Running, timeoutOf } from "./deadline.ts";

test("a caller's timeout is capped by the deployment's", () => {
  expect(timeoutOf("5000", 100, 1000)).toEqual({ ok: true, value: 1000 });
  expect(timeoutOf("50", 100, 1000)).toEqual({ ok: true, value: 50 });
  expect(timeoutOf(null, 100, 1000)).toEqual({ ok: true, value: 100 });
});

test.each(["", "0", "-1", "1.5", "1e3", "abc", " 5", "99999999999"])("the timeout %j is refused", (value) => {
  expect(timeoutOf(value, 100, 1000)).toMatchObject({ fault: { code: "invalid_header" } });
});

test("the first reason to stop is the one that is told", () => {
  const deadline = new Deadline(60_000, new Running());
  deadline.callOff("disconnected");
  deadline.callOff("deadline");
  expect(deadline.signal.reason).toBe("disconnected");
});

test("a passed deadline reads deadline_exceeded and a shutdown origin_unavailable", () => {
  const late = new Deadline(60_000, new Running());
  late.callOff("deadline");
  expect(faultOfCallOff(late.signal).code).toBe("deadline_exceeded");
  const running = new Running();
  const draining = new Deadline(60_000, running);
  running.drain();
  expect(faultOfCallOff(draining.signal).code).toBe("origin_unavailable");
});

test("a request that comes while the process ends is called off at once", () => {
  const running = new Running();
  running.drain();
  expect(new Deadline(60_000, running).signal.aborted).toBe(true);
});

test("a request that is answered listens to nothing any more", () => {
  const running = new Running();
  const deadline = new Deadline(60_000, running);
  deadline.clear();
  running.drain();
  expect(deadline.signal.aborted).toBe(false);
});
