import { expect, test } from "vitest";
import { Seals } from "./seals.ts";

const secret = "a-secret-of-at-least-thirty-two-characters";
const salt = new Uint8Array(32).fill(1);
const seals = new Seals(secret, "acme", salt);
const place = { job: "job_1", part: "call" } as const;

test("what was sealed opens in its place, and does not hold its text", async () => {
  const sealed = await seals.seal(place, "a question");
  expect(Buffer.from(sealed).includes("a question")).toBe(false);
  expect(await seals.open(place, sealed)).toBe("a question");
  expect(await seals.seal(place, "a question")).not.toEqual(sealed);
});

test("it opens in no other place, for no other tenant, under no other secret or salt, and not when a bit has changed", async () => {
  const sealed = await seals.seal(place, "a question");
  expect(await seals.open({ ...place, part: "answer" }, sealed)).toBeUndefined();
  expect(await seals.open({ ...place, job: "job_2" }, sealed)).toBeUndefined();
  for (const other of [
    new Seals(secret, "other", salt),
    new Seals(`${secret}!`, "acme", salt),
    new Seals(secret, "acme", new Uint8Array(32)),
  ]) {
    expect(await other.open(place, sealed)).toBeUndefined();
  }
  for (let at = 0; at < sealed.length; at++) {
    const changed = sealed.map((byte, index) => (index === at ? byte ^ 1 : byte));
    expect(await seals.open(place, changed)).toBeUndefined();
  }
  expect(await seals.open(place, new Uint8Array(3))).toBeUndefined();
});
