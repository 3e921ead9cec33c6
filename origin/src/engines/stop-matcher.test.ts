import fc from "fast-check";
import { expect, test } from "vitest";
import { StopMatcher } from "./stop-matcher.ts";

function emitted(stops: string[], pieces: string[]): { text: string; matched: boolean } {
  const matcher = new StopMatcher(stops);
  const text = pieces.map((piece) => matcher.push(piece)).join("") + matcher.flush();
  return { text, matched: matcher.matched };
}

test("a stop string split over two tokens is not emitted", () => {
  expect(emitted(["END"], ["Hello E", "ND more"])).toEqual({ text: "Hello ", matched: true });
  expect(emitted(["\n\n"], ["a\n", "b\n", "\nc"])).toEqual({ text: "a\nb", matched: true });
});

test("what only looked like a stop string is emitted after all", () => {
  expect(emitted(["END"], ["Hello E", "N"])).toEqual({ text: "Hello EN", matched: false });
  expect(emitted(["aab"], ["a", "a", "a", "b"])).toEqual({ text: "a", matched: true });
});

test("the earliest of several stop strings ends the text", () => {
  expect(emitted(["world", "lo"], ["Hello world"])).toEqual({ text: "Hel", matched: true });
});

test("however the text is cut, the same is emitted as from the whole", () => {
  const letters = fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(fc.array(letters, { maxLength: 3 }), fc.array(letters, { maxLength: 20 }), (stops, pieces) => {
      const whole = pieces.join("");
      const cuts = stops.map((stop) => whole.indexOf(stop)).filter((at) => at !== -1);
      const expected = cuts.length === 0 ? whole : whole.slice(0, Math.min(...cuts));
      // A piecewise reader knows only what it has seen: a match that ends earlier wins over one that begins earlier.
      const result = emitted(stops, pieces);
      expect(whole.startsWith(result.text)).toBe(true);
      expect(result.matched).toBe(cuts.length > 0);
      expect(stops.some((stop) => result.text.includes(stop))).toBe(false);
      if (stops.length === 1) expect(result.text).toBe(expected);
    }),
  );
});
