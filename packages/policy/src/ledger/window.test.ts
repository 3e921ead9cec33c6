import fc from "fast-check";
import { expect, test } from "vitest";
import { isTimeZone, windowAt } from "./window.ts";

const at = (text: string) => Date.parse(text);
const days = (text: string, zone: string, period: "day" | "month" = "day") => {
  const { startMs, endMs } = windowAt(period, at(text), zone);
  return [new Date(startMs).toISOString(), new Date(endMs).toISOString()];
};

test("a day begins at midnight where the tenant is", () => {
  expect(days("2026-11-25T20:00:00Z", "UTC")).toEqual(["2026-11-25T00:00:00.000Z", "2026-11-26T00:00:00.000Z"]);
  expect(days("2026-11-25T20:00:00Z", "Asia/Kolkata")).toEqual([
    "2026-11-25T18:30:00.000Z",
    "2026-11-26T18:30:00.000Z",
  ]);
  expect(days("2026-11-25T20:00:00Z", "Pacific/Kiritimati")[0]).toBe("2026-11-25T10:00:00.000Z");
  expect(days("2026-11-25T20:00:00Z", "Pacific/Pago_Pago")[0]).toBe("2026-11-25T11:00:00.000Z");
});

test("days on which clocks change have 23 and 25 hours", () => {
  expect(days("2026-03-29T12:00:00Z", "Europe/Berlin")).toEqual([
    "2026-03-28T23:00:00.000Z",
    "2026-03-29T22:00:00.000Z",
  ]);
  expect(days("2026-10-25T12:00:00Z", "Europe/Berlin")).toEqual([
    "2026-10-24T22:00:00.000Z",
    "2026-10-25T23:00:00.000Z",
  ]);
});

test("where midnight is skipped a day begins when the clock has been put forward", () => {
  expect(days("2018-11-04T12:00:00Z", "America/Sao_Paulo")[0]).toBe("2018-11-04T03:00:00.000Z");
});

test("a month lasts from its first midnight to the next one's, over new year and over changes of the clock", () => {
  expect(days("2026-12-31T23:30:00Z", "UTC", "month")).toEqual([
    "2026-12-01T00:00:00.000Z",
    "2027-01-01T00:00:00.000Z",
  ]);
  expect(days("2026-03-31T23:30:00Z", "Europe/Berlin", "month")[0]).toBe("2026-03-31T22:00:00.000Z");
  expect(days("2028-02-15T00:00:00Z", "UTC", "month")).toEqual([
    "2028-02-01T00:00:00.000Z",
    "2028-03-01T00:00:00.000Z",
  ]);
});

test("every instant lies in its window, and windows follow one another without a gap", () => {
  const zones = [
    "UTC",
    "Asia/Kolkata",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Africa/Casablanca",
  ];
  fc.assert(
    fc.property(
      fc.integer({ min: at("2020-01-01T00:00:00Z"), max: at("2035-01-01T00:00:00Z") }),
      fc.constantFrom(...zones),
      fc.constantFrom("day" as const, "month" as const),
      (ms, zone, period) => {
        const { startMs, endMs } = windowAt(period, ms, zone);
        expect(startMs).toBeLessThanOrEqual(ms);
        expect(endMs).toBeGreaterThan(ms);
        expect(windowAt(period, endMs, zone).startMs).toBe(endMs);
        expect(windowAt(period, endMs - 1, zone)).toEqual({ startMs, endMs });
      },
    ),
    { numRuns: 60 },
  );
});

test("a zone that nobody knows is UTC", () => {
  expect(isTimeZone("Europe/Atlantis")).toBe(false);
  expect(windowAt("day", at("2026-11-25T20:00:00Z"), "Europe/Atlantis")).toEqual(
    windowAt("day", at("2026-11-25T20:00:00Z"), "UTC"),
  );
});
