import { emptyRegistry } from "@ledge/contract";
import { expect, test } from "vitest";
import { publish } from "./publish.ts";

/** A KV namespace that refuses to write or delete what `refuses` says. */
function memoryKv(refuses: (name: string) => boolean = () => false) {
  const values = new Map<string, string>();
  const order: string[] = [];
  const act = async (name: string, work: () => void) => {
    if (refuses(name)) throw new Error("down");
    order.push(name);
    work();
  };
  return {
    values,
    order,
    put: (key: string, value: string) => act(`put ${key}`, () => void values.set(key, value)),
    delete: (key: string) => act(`delete ${key}`, () => void values.delete(key)),
  };
}

const state = (number: number) => ({ ...emptyRegistry, number });

test("a snapshot is there before anybody is told of it", async () => {
  const kv = memoryKv();
  expect(await publish(kv, state(4), [3])).toEqual([3, 4]);
  expect(kv.order).toEqual(["put snapshot:4", "put current"]);
  expect(kv.values.get("current")).toBe("4");
  expect(JSON.parse(kv.values.get("snapshot:4") ?? "")).toEqual(state(4));
});

test("nobody is told of a snapshot that could not be written", async () => {
  const kv = memoryKv((key) => key.startsWith("put snapshot:"));
  await expect(publish(kv, state(4), [3])).rejects.toThrow();
  expect(kv.values.size).toBe(0);
});

test("the latest twenty are kept, and one that could not be deleted is deleted the next time", async () => {
  let down = true;
  const kv = memoryKv((key) => down && key === "delete snapshot:1");
  let published: readonly number[] = [];
  for (let number = 1; number <= 25; number++) published = await publish(kv, state(number), published);
  expect(published).toEqual([1, ...Array.from({ length: 20 }, (_, i) => i + 6)]);
  down = false;
  published = await publish(kv, state(26), published);
  expect(published).toEqual(Array.from({ length: 20 }, (_, i) => i + 7));
  expect([...kv.values.keys()].filter((key) => key !== "current")).toHaveLength(20);
});

test("a snapshot that is published again is there once", async () => {
  expect(await publish(memoryKv(), state(4), [3, 4])).toEqual([3, 4]);
});
