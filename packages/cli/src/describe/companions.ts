import { readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { Refusal } from "../refusal.ts";
import type { FoundPackage } from "./find-package.ts";
import { labelsOfConfig, readLabels } from "./labels.ts";
import { type Content, contentOfBytes, contentOfFile } from "./package-content.ts";

type Json = Readonly<Record<string, unknown>>;

/** Files that come with a graph, by what they are for. */
export interface Companions {
  readonly labels: Content | undefined;
  readonly tokenizer: Content | undefined;
  readonly tokenizerConfig: Content | undefined;
  /** The contents of the two above, and of `preprocessor_config.json`; empty where there is none. */
  readonly json: { readonly tokenizer: Json; readonly tokenizerConfig: Json; readonly preprocessor: Json };
}

export interface CompanionFlags {
  readonly labels?: string;
  readonly tokenizer?: string;
}

/**
 * Finds labels and tokenizer: what the flags name, else, in a folder, what lies beside the graph under its usual name.
 *
 * @throws Refusal when something named is missing or broken.
 */
export async function findCompanions(found: FoundPackage, flags: CompanionFlags, cwd: string): Promise<Companions> {
  const tokenizerPath = flags.tokenizer === undefined ? beside(found, "tokenizer.json") : resolve(cwd, flags.tokenizer);
  const tokenizer = await jsonAt(tokenizerPath, flags.tokenizer !== undefined);
  const configPath = tokenizerPath === undefined ? undefined : join(tokenizerPath, "..", "tokenizer_config.json");
  const tokenizerConfig = await jsonAt(tokenizer === undefined ? undefined : configPath, false);
  const preprocessor = await jsonAt(beside(found, "preprocessor_config.json"), false);
  return {
    labels: await labelsOf(found, flags.labels, cwd),
    tokenizer: await contentAt(tokenizer && tokenizerPath, "tokenizer.json"),
    tokenizerConfig: await contentAt(tokenizerConfig && configPath, "tokenizer_config.json"),
    json: {
      tokenizer: tokenizer ?? {},
      tokenizerConfig: tokenizerConfig ?? {},
      preprocessor: preprocessor ?? {},
    },
  };
}

function beside({ folder, whole }: FoundPackage, name: string): string | undefined {
  return whole ? join(folder, name) : undefined;
}

async function contentAt(path: string | undefined, name: string): Promise<Content | undefined> {
  return path === undefined ? undefined : contentOfFile(name, path);
}

/** Undefined when there is no such file and nobody said there was. */
async function jsonAt(path: string | undefined, named: boolean): Promise<Json | undefined> {
  if (path === undefined) return undefined;
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) {
    if (named) throw new Refusal(`There is no file at ${path}.`);
    return undefined;
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Json;
  } catch {
    // Falls through to the sentence below.
  }
  throw new Refusal(`${basename(path)} is not JSON.`);
}

async function labelsOf(found: FoundPackage, flag: string | undefined, cwd: string): Promise<Content | undefined> {
  const labels = flag === undefined ? await labelsBeside(found) : await readLabels(flag, resolve(cwd, flag));
  if (labels === undefined) return undefined;
  return contentOfBytes("labels.json", new TextEncoder().encode(`${JSON.stringify(labels, null, 2)}\n`));
}

async function labelsBeside(found: FoundPackage): Promise<readonly string[] | undefined> {
  const path = beside(found, "labels.json");
  if (path === undefined) return undefined;
  const written = await readFile(path, "utf8").catch(() => undefined);
  if (written !== undefined) return readLabels("labels.json", path);
  return labelsOfConfig((await jsonAt(beside(found, "config.json"), false)) ?? {});
}
