import type { Tensor } from "@ledge/contract";
import { expect, test } from "vitest";
import { bestClasses } from "./classes.ts";

const none = () => undefined;

test("the best classes of each row stand best first, equal ones in their order, floats with six decimals", () => {
  const tensor: Tensor = { datatype: "FP32", shape: [2, 3], data: Float32Array.of(0.5, 2, 2, -1, 0, 1e-9) };
  expect(bestClasses("y", tensor, 2, none)).toEqual({
    ok: true,
    value: { datatype: "BYTES", shape: [2, 2], data: ["2.000000:1", "2.000000:2", "0.000000:2", "0.000000:1"] },
  });
});

test("integers keep all their digits, labels come last, and there are no more classes than values", () => {
  const tensor: Tensor = { datatype: "INT64", shape: [2], data: BigInt64Array.of(2n ** 60n, 2n ** 60n + 1n) };
  const labels = () => ["best", "other"];
  expect(bestClasses("y", tensor, 9, labels)).toMatchObject({
    value: { shape: [2], data: ["1152921504606846977:1:best", "1152921504606846976:0:other"] },
  });
});

test("texts, flags and halves have no classes", () => {
  const texts: Tensor = { datatype: "BYTES", shape: [1], data: ["x"] };
  expect(bestClasses("y", texts, 1, none)).toMatchObject({ ok: false, fault: { code: "invalid_shape" } });
});
