import { Ajv } from "ajv";
import { expect, test } from "vitest";
import { type Schema, shared, strict } from "./strict-schema.ts";

const sameRef = (ref: string) => ref;
const text = { type: "string", description: "prose" };
const pod = {
  type: "object",
  description: "prose",
  required: ["name"],
  properties: {
    name: { ...text, maxLength: 8 },
    port: { "x-kubernetes-int-or-string": true },
    free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
  },
} satisfies Schema;

function accepts(schema: Schema, value: unknown): boolean {
  return new Ajv({ strict: false }).validate(schema, value);
}

test("a field that the schema does not name is refused, unless the schema keeps unknown ones", () => {
  const schema = strict(pod, sameRef);
  expect(accepts(schema, { name: "a", free: { any: 1 } })).toBe(true);
  expect(accepts(schema, { name: "a", other: 1 })).toBe(false);
  expect(accepts(strict({ type: "object" }, sameRef), { any: 1 })).toBe(false);
});

test("what constrains is kept, prose is not", () => {
  const schema = strict(pod, sameRef);
  expect(JSON.stringify(schema)).not.toContain("prose");
  expect(accepts(schema, {})).toBe(false);
  expect(accepts(schema, { name: "far too long" })).toBe(false);
  for (const port of [80, "http"]) expect(accepts(schema, { name: "a", port })).toBe(true);
  expect(accepts(schema, { name: "a", port: true })).toBe(false);
});

test("a null is refused where the published schema would take one", () => {
  const schema = strict({ type: ["string", "null"] }, sameRef);
  expect([accepts(schema, "a"), accepts(schema, null)]).toEqual([true, false]);
});

test("the branches of a union constrain a field and do not close its object", () => {
  const union = { ...pod, anyOf: [{ required: ["port"] }, { properties: { name: { enum: ["b"] } } }] };
  const schema = strict(union, sameRef);
  expect(accepts(schema, { name: "a", port: 1 })).toBe(true);
  expect(accepts(schema, { name: "b" })).toBe(true);
  expect(accepts(schema, { name: "a" })).toBe(false);
});

test("references are led to where the definitions lie", () => {
  expect(strict({ $ref: "old#/Pod" }, (ref) => ref.replace("old", "new"))).toEqual({ $ref: "new#/Pod" });
});

test("to say each part once changes nothing about what is valid", () => {
  const twice = strict(
    { type: "object", properties: { first: pod, second: pod, many: { type: "array", items: pod } } },
    sameRef,
  );
  const once = shared(twice);
  expect(JSON.stringify(once).length).toBeLessThan(JSON.stringify(twice).length);
  const good = { first: { name: "a" }, second: { name: "b", port: "x" }, many: [{ name: "c" }] };
  const bad = [{ ...good, second: { port: 1 } }, { ...good, many: [{ name: "c", other: 1 }] }, { third: {} }];
  for (const schema of [twice, once]) {
    expect(accepts(schema, good)).toBe(true);
    for (const value of bad) expect(accepts(schema, value)).toBe(false);
  }
});
