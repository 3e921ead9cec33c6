import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalJson } from "./canonical-json.ts";

test("the order of members, white space and the spelling of numbers do not change the text", () => {
  const a = JSON.parse('{ "b": 1.0, "a": [1e2, {"y": "\\u0041", "x": null}] }');
  const b = JSON.parse('{"a":[100,{"x":null,"y":"A"}],"b":1}');
  expect(canonicalJson(a)).toBe(canonicalJson(b));
  expect(canonicalJson(a)).toBe('{"a":[100,{"x":null,"y":"A"}],"b":1}');
});

test("members are sorted by UTF-16 code units, as RFC 8785 says", () => {
  // Section 3.2.3 of the RFC: U+1F600 sorts by its surrogates, before U+FB33.
  expect(canonicalJson({ "\ufb33": 1, "\ud83d\ude00": 2, "\u20ac": 3, "1": 4, "\r": 5 })).toBe(
    '{"\\r":5,"1":4,"\u20ac":3,"\ud83d\ude00":2,"\ufb33":1}',
  );
});

test("parsing the text gives the value back", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

test("members that are undefined are left out", () => {
  expect(canonicalJson({ a: undefined, b: 1 })).toBe('{"b":1}');
});
