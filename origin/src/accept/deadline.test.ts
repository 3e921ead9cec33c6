import { expect, test } from "vitest";
import { faultOfCallOff } from "../call-off.ts";
import { Deadline, timeoutOf } from "./deadline.ts";

const never = new AbortController().signal;

test("a caller's timeout is capped by the deployment's", () => {
  expect(timeoutOf("5000", 100, 1000)).toEqual({ ok: true, value: 1000 });
  expect(timeoutOf("50", 100, 1000)).toEqual({ ok: true, value: 50 });
  expect(timeoutOf(null, 100, 1000)).toEqual({ ok: true, value: 100 });
});

test.each(["", "0", "-1", "1.5", "1e3", "abc", " 5", "99999999999"])("the timeout %j is refused", (value) => {
  expect(timeoutOf(value, 100, 1000)).toMatchObject({ fault: { code: "invalid_header" } });
});

test("the first reason to stop is the one that is told", () => {
  const client = new AbortController();
  const deadline = new Deadline(60_000, client.signal, never);
  client.abort();
  deadline.callOff("deadline");
  expect(deadline.signal.reason).toBe("disconnected");
});

test("a client that is gone before the request is read calls it off at once", () => {
  expect(new Deadline(60_000, AbortSignal.abort(), never).signal.aborted).toBe(true);
});

test("a passed deadline reads deadline_exceeded and a shutdown origin_unavailable", () => {
  const late = new Deadline(60_000, never, never);
  late.callOff("deadline");
  expect(faultOfCallOff(late.signal).code).toBe("deadline_exceeded");
  const draining = new Deadline(60_000, never, AbortSignal.abort());
  expect(faultOfCallOff(draining.signal).code).toBe("origin_unavailable");
});

test("a request that is answered listens to nothing any more", () => {
  const shutdown = new AbortController();
  const deadline = new Deadline(60_000, never, shutdown.signal);
  deadline.clear();
  shutdown.abort();
  expect(deadline.signal.aborted).toBe(false);
});
