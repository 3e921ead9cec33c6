import { text } from "node:stream/consumers";
import { disagreement } from "@ledge/policy";

/** What the rules say of pairs: reads JSON lines {a, b}, writes one line for each, empty where no rule objects. */

const lines = (await text(process.stdin)).split("\n").slice(0, -1);
const said = lines.map((line) => {
  const { a, b }: { a: string; b: string } = JSON.parse(line);
  return disagreement(a, b) ?? "";
});
process.stdout.write(said.map((one) => `${one}\n`).join(""));
