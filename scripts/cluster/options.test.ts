import { expect, test } from "vitest";
import { readOptions } from "./options.ts";

test("without options every layer is split over two processes", () => {
  expect(readOptions([])).toMatchObject({ verb: "start", tensor: 2, pipeline: 1, name: "tiny-chat", dashboard: false });
});

test("a pipeline takes the place of the split", () => {
  expect(readOptions(["--pipeline", "2"])).toMatchObject({ tensor: 1, pipeline: 2 });
});

test.each([
  [["restart"], "neither 'start' nor 'stop'"],
  [["--tensor", "2", "--pipeline", "2"], "exclude each other"],
  [["--tensor", "1"], "--tensor takes a whole number from 2 to 16, not '1'"],
  [["--port", "x"], "--port takes a whole number from 1 to 65535, not 'x'"],
  [["--nodes", "3"], "--nodes"],
])("%j is refused with a sentence", (args, sentence) => {
  expect(() => readOptions(args)).toThrow(sentence);
});
