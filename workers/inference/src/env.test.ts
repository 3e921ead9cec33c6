import { expect, test } from "vitest";
import { readQueueRule } from "./env.ts";

test.each([[0], [256], ["0"], ["256"]])("the bound of the queue may be %j", (bound) => {
  expect(readQueueRule({ QUEUE_ROWS_MAX: bound })).toMatchObject({
    ok: true,
    value: { waitingRowsMax: Number(bound) },
  });
});

test.each([[undefined], [""], [-1], [1.5], ["many"], [null]])(
  "a bound of %j is not ready and says what to type",
  (bound) => {
    const rule = readQueueRule({ QUEUE_ROWS_MAX: bound });
    expect(rule).toMatchObject({ ok: false, fault: { code: "model_not_ready" } });
    if (!rule.ok) expect(rule.fault.cause).toMatch(/"QUEUE_ROWS_MAX": 256/);
  },
);
