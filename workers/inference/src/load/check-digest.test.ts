import { expect, test } from "vitest";
import { checkDigest } from "./check-digest.ts";

const graph = new TextEncoder().encode("abc").buffer;
/** SHA-256 of "abc": FIPS 180-4, example 1. */
const sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

test("a graph with the digest and size of its manifest passes", async () => {
  expect(await checkDigest(graph, { path: "model.onnx", bytes: 3, sha256 })).toEqual({ ok: true, value: true });
});

test("a graph with another digest or size is not ready, and the cause names both digests", async () => {
  const other = await checkDigest(graph, { path: "model.onnx", bytes: 3, sha256: "0".repeat(64) });
  expect(other).toMatchObject({ ok: false, fault: { code: "model_not_ready" } });
  if (!other.ok) expect(other.fault.cause).toMatch(new RegExp(`${sha256}.*${"0".repeat(64)}`));
  expect((await checkDigest(graph, { path: "model.onnx", bytes: 4, sha256 })).ok).toBe(false);
});
