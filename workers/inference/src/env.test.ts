import { expect, test } from "vitest";
import { readConfig } from "./env.ts";

const good = { QUEUE_ROWS_MAX: 256, MEMORY_BYTES_MAX: 96 * 2 ** 20 };

test.each([[0], [256], ["0"], ["256"]])("the bound of the queue may be %j", (bound) => {
  expect(readConfig({ ...good, QUEUE_ROWS_MAX: bound })).toMatchObject({
    ok: true,
    value: { waitingRowsMax: Number(bound) },
  });
});

test.each([[undefined], [""], [-1], [1.5], ["many"], [null]])(
  "a bound of %j is not ready and says what to type",
  (bound) => {
    const config = readConfig({ ...good, QUEUE_ROWS_MAX: bound });
    expect(config).toMatchObject({ ok: false, fault: { code: "model_not_ready" } });
    if (!config.ok) expect(config.fault.cause).toMatch(/"QUEUE_ROWS_MAX": 256/);
  },
);

test.each([[undefined], ["96 MiB"], [2 ** 20]])("a memory budget of %j is not ready and says what to type", (bytes) => {
  const config = readConfig({ ...good, MEMORY_BYTES_MAX: bytes });
  expect(config).toMatchObject({ ok: false, fault: { code: "model_not_ready" } });
  if (!config.ok) expect(config.fault.cause).toMatch(/"MEMORY_BYTES_MAX": 100663296/);
});

test("room for tokenizers is a mebibyte where nothing is said, may be none, and what is no number says what to type", () => {
  const roomOf = (bytes: unknown) => readConfig({ ...good, TOKENIZER_BYTES_MAX: bytes });
  expect(roomOf(undefined)).toMatchObject({ ok: true, value: { tokenizerBytesMax: 2 ** 20 } });
  expect(roomOf(0)).toMatchObject({ ok: true, value: { tokenizerBytesMax: 0 } });
  const config = roomOf("much");
  expect(config).toMatchObject({ ok: false, fault: { code: "model_not_ready" } });
  if (!config.ok) expect(config.fault.cause).toMatch(/"TOKENIZER_BYTES_MAX": 1048576/);
});
