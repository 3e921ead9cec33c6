import { stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { repoRoot } from "../repo.ts";
import type { Gate } from "./gate.ts";
import { readSources, repositoryFiles, type SourceFile } from "./repository-files.ts";

const fileBytesMax = 16 * 1024 * 1024;
/** Larger files are weights and the like: nobody typed a leftover into them. */
const textBytesMax = 2 * 1024 * 1024;

/** Data sets are fetched or pointed at, never committed: their licences and sizes are not ours. */
const dataSets = new Set([
  ".csv",
  ".tsv",
  ".jsonl",
  ".ndjson",
  ".parquet",
  ".arrow",
  ".feather",
  ".npz",
  ".npy",
  ".h5",
  ".pkl",
]);

interface Leftover {
  readonly pattern: RegExp;
  readonly says: string;
}

// Written so that no pattern matches its own source.
const leftovers: readonly Leftover[] = [
  { pattern: /\b(?:describe|it|test|suite|bench)(?:\.\w+)*\.only\s*\(/, says: "a test that silences the others" },
  { pattern: /\b(?:describe|it|test|suite|bench)(?:\.\w+)*\.todo\s*\(/, says: "a test that is not written" },
  { pattern: /(?<![\w.-])\/(?:root|home|Users)\/[\w.-]/, says: "a path on somebody's machine" },
  { pattern: /ledge_[\w-]{43}(?![\w-])/, says: "an API key" },
  { pattern: /-{5}BEGIN [A-Z ]*PRIVATE KEY-{5}\s+[\w+/]{16}/, says: "a private key" },
];

export const noLeftovers: Gate = {
  name: "no leftovers",
  async run() {
    const files = await repositoryFiles();
    const sized = await Promise.all(
      files.map(async (path) => ({ path, size: (await stat(join(repoRoot, path))).size })),
    );
    const readable = sized.filter(({ size }) => size <= textBytesMax).map(({ path }) => path);
    return [...sized.flatMap(fileSlips), ...(await readSources(readable)).flatMap(leftoversIn)];
  },
};

export function fileSlips({ path, size }: { readonly path: string; readonly size: number }): readonly string[] {
  return [
    ...(size > fileBytesMax ? [`${path} has ${size} bytes, ${fileBytesMax} are allowed`] : []),
    ...(dataSets.has(extname(path).toLowerCase())
      ? [`${path} looks like a data set: keep it outside the repository`]
      : []),
  ];
}

export function leftoversIn({ path, text }: SourceFile): readonly string[] {
  const found: string[] = [];
  for (const { pattern, says } of leftovers) {
    const at = text.search(pattern);
    if (at >= 0) found.push(`${path}:${text.slice(0, at).split("\n").length} holds ${says}`);
  }
  return found;
}
