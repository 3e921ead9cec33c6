import { Tokenizer } from "@huggingface/tokenizers";
import {
  fail,
  ok,
  type PredictInput,
  type Result,
  type Tensor,
  type TensorSpec,
  type TokenizerStep,
  tokenizerStep,
} from "@ledge/contract";
import { readJsonFile } from "../read-file.ts";
import { readStep } from "../read-step.ts";
import { feed } from "./feed.ts";
import { idTensor } from "./id-tensor.ts";
import type { PreparedRow, Preparer } from "./preparer.ts";

/**
 * Text to token ids by a Hugging Face `tokenizer.json`, `[length]` a row, cut to `maxTokens` as the Python library cuts:
 * special tokens stay. The ids are that library's, but for one thing: `BertNormalizer` parts ideographs beyond U+FFFF there
 * and leaves them joined here.
 */
export function tokenize(
  step: unknown,
  inputs: readonly TensorSpec[],
  files: ReadonlyMap<string, Uint8Array>,
): Result<Preparer> {
  const spec = readStep("preprocess", tokenizerStep, step);
  if (!spec.ok) return spec;
  const feeds = readFeeds(spec.value, inputs);
  if (!feeds.ok) return feeds;
  const encode = makeEncoder(spec.value, files);
  if (!encode.ok) return encode;
  return ok({
    takes: "text",
    padding: { [spec.value.inputs.ids]: spec.value.padId },
    prepare: (text) => prepareText(text, encode.value, feeds.value),
  });
}

type Encode = (text: string) => Int32Array;

interface Feed {
  readonly name: string;
  readonly datatype: "INT32" | "INT64";
  readonly role: keyof TokenizerStep["inputs"];
}

function prepareText(text: PredictInput, encode: Encode, feeds: readonly Feed[]): Result<PreparedRow> {
  if (typeof text !== "string") return fail("invalid_shape", { detail: "This model takes texts." });
  let ids: Int32Array;
  try {
    ids = encode(text);
  } catch {
    return fail("invalid_shape", { detail: "The model's tokenizer does not take this text." });
  }
  const tensors: Record<string, Tensor> = {};
  for (const { name, datatype, role } of feeds) {
    const values = role === "ids" ? ids : new Int32Array(ids.length).fill(role === "mask" ? 1 : 0);
    tensors[name] = idTensor(values, datatype);
  }
  return ok({ tokens: ids.length, tensors });
}

/** Every input of the graph must be one that the step feeds. */
function readFeeds({ inputs: names, maxTokens }: TokenizerStep, inputs: readonly TensorSpec[]): Result<Feed[]> {
  const feeds: Feed[] = [];
  for (const role of ["ids", "mask", "types"] as const) {
    const name = names[role];
    if (name === undefined) continue;
    const input = feed(inputs, name, ["INT32", "INT64"], 2);
    if (!input.ok) return input;
    const [, length = -1] = input.value.shape;
    if (length >= 0 && length < maxTokens) {
      return fail("model_not_ready", {
        cause: `preprocess: ${name} has ${length} places and maxTokens is ${maxTokens}`,
      });
    }
    feeds.push({ name, datatype: input.value.datatype, role });
  }
  const unfed = inputs.find(({ name }) => !feeds.some((each) => each.name === name));
  if (unfed === undefined) return ok(feeds);
  return fail("model_not_ready", { cause: `preprocess: the step does not feed the graph's input ${unfed.name}` });
}

function makeEncoder(spec: TokenizerStep, files: ReadonlyMap<string, Uint8Array>): Result<Encode> {
  const tokenizer = readTokenizer(files, spec.tokenizer, spec.config);
  if (!tokenizer.ok) return tokenizer;
  try {
    const around = spec.specialTokens === false ? { before: [], after: [] } : specialTokens(tokenizer.value);
    const room = spec.maxTokens - around.before.length - around.after.length;
    if (room < 1)
      return fail("model_not_ready", { cause: "preprocess: maxTokens leaves no room beside special tokens" });
    return ok((text) =>
      Int32Array.from([...around.before, ...encode(tokenizer.value, text).slice(0, room), ...around.after]),
    );
  } catch (error) {
    return noTokenizer(spec.tokenizer, error);
  }
}

/** Reads `tokenizer.json`, and what `tokenizer_config.json` says of it. Fault: `model_not_ready`, whose cause names the file. */
export function readTokenizer(
  files: ReadonlyMap<string, Uint8Array>,
  path: string,
  configPath?: string,
): Result<Tokenizer> {
  const json = readJsonFile(files, path);
  if (!json.ok) return json;
  const config = configPath === undefined ? ok({}) : readJsonFile(files, configPath);
  if (!config.ok) return config;
  try {
    return ok(new Tokenizer(json.value as object, config.value as object));
  } catch (error) {
    return noTokenizer(path, error);
  }
}

function noTokenizer(path: string, error: unknown): Result<never> {
  const reason = error instanceof Error ? error.message.slice(0, 300) : "";
  return fail("model_not_ready", { cause: `preprocess: ${path} is no tokenizer (${reason})` });
}

/** The ids of a text. Throws what the library throws, of texts it was not made for. */
export function encode(tokenizer: Tokenizer, text: string, special = false): number[] {
  // What a tokenizer without an unknown token has no id for is left out, as the Python library does.
  return tokenizer.encode(text, { add_special_tokens: special }).ids.filter((id) => id !== undefined);
}

/** What the tokenizer puts around every text: it is told from one text with and without. */
function specialTokens(tokenizer: Tokenizer): { readonly before: number[]; readonly after: number[] } {
  for (const probe of ["a", "A", "1", "."]) {
    const bare = encode(tokenizer, probe);
    const full = encode(tokenizer, probe, true);
    for (let at = 0; bare.length > 0 && at + bare.length <= full.length; at++) {
      if (bare.every((id, offset) => full[at + offset] === id)) {
        return { before: full.slice(0, at), after: full.slice(at + bare.length) };
      }
    }
  }
  throw new Error("it makes nothing of plain letters");
}
