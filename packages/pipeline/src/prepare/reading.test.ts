import { expect, test } from "vitest";
import { readingOf } from "./reading.ts";

/** Words are tokens, by their length; a word that begins a text has a space before it, as sentencepiece puts one. */
const words = (text: string) => ` ${text}`.split(/(?= )/).map((word) => word.length);

test("a prompt alone is read as it is", () => {
  expect(readingOf("say it", "", words)).toEqual({ prompt: [4, 3], said: [] });
});

test("what was said is read with the prompt before it", () => {
  expect(readingOf("say", " all of", words)).toEqual({ prompt: [4], said: [4, 3] });
});

test("a prompt whose last token would be another together with what was said keeps the tokens that were answered to", () => {
  expect(readingOf("say", "all of", words)).toEqual({ prompt: [4], said: [4, 3] });
});
