import { expect, test } from "vitest";
import { type Figures, tallyOf } from "./figures.ts";
import { casesOf, readOptions } from "./options.ts";
import { reportText, slipsOf } from "./report.ts";

const none = tallyOf([]);
const well: Figures = {
  name: "kill near-1",
  calm: none,
  during: { ...none, calls: 40, right: 38, told: { upstream_failed: 2 }, p50Ms: 10.4, p99Ms: 90 },
  after: none,
  failoverMs: 120,
  recoveryMs: 1_540,
  sent: { requests: 104, hedges: 3, calls: 100 },
};

test("a fault is a line of the table, with what was told by its code", () => {
  expect(reportText([well])).toContain(
    "| kill near-1 | 40 | 95.0 % | 2 `upstream_failed` | 0, 0, 0 | –, – | 10, 90 | 0.1 s | 1.5 s | 1.040 |",
  );
});

test("what was told falls short of nothing; a wrong, doubled or silent answer, no recovery and too many requests do", () => {
  expect(slipsOf([well])).toEqual([]);
  expect(
    slipsOf([
      { ...well, calm: { ...none, wrong: 1 }, after: { ...none, silent: 2 } },
      { ...well, recoveryMs: Number.NaN, sent: { requests: 120, hedges: 0, calls: 100 } },
    ]),
  ).toEqual([
    "kill near-1: 1 answers were wrong.",
    "kill near-1: 2 answers were silent.",
    "kill near-1: not everything was well again.",
    "Origins were sent 1.120 requests a call.",
  ]);
});

test("faults and targets can be named, and one that there is not is told with those that there are", () => {
  expect(readOptions(["--fault", "kill,drop", "--target", "near-1"]).cases).toEqual(
    casesOf(["kill", "drop"], ["near-1"]),
  );
  expect(() => readOptions(["--fault", "explode"])).toThrow("--fault takes kill, freeze");
  expect(() => readOptions(["--minutes", "soon"])).toThrow("--minutes takes a number from 0");
});
