import type { Gate } from "./gate.ts";
import { readSources, repositoryFiles, type SourceFile } from "./repository-files.ts";

const linesMax = 400;
const linesToAsk = 250;

/** Long functions are Biome's business: `noExcessiveLinesPerFunction`. */
export const fileSize: Gate = {
  name: "file size",
  async run(warn) {
    const written = (path: string) => /\.(?:ts|mjs|py)$/.test(path) && !path.endsWith(".d.ts");
    const { tooLong, long } = sizeFindings(await readSources((await repositoryFiles()).filter(written)));
    long.forEach(warn);
    return tooLong;
  },
};

/** Files over 400 lines must be split; over 250 they raise the question. */
export function sizeFindings(files: readonly SourceFile[]) {
  const counted = files.map(({ path, text }) => ({ path, lines: text.trimEnd().split("\n").length }));
  const say = ({ path, lines }: { path: string; lines: number }) => `${path} has ${lines} lines`;
  return {
    tooLong: counted.filter(({ lines }) => lines > linesMax).map((file) => `${say(file)}, ${linesMax} are allowed`),
    long: counted.filter(({ lines }) => lines > linesToAsk && lines <= linesMax).map(say),
  };
}
