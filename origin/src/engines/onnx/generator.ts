import { basename, dirname } from "node:path";
import * as transformers from "@huggingface/transformers";
import { type ChatRequest, fail, ok, type Result } from "@ledge/contract";
import { type Reading, readingOf } from "@ledge/pipeline";
import { type ChatParameters, chatParametersOf } from "../chat-parameters.ts";
import type { Engine, EngineModel, PreparedChat } from "../engine.ts";
import { type ModelPackage, StartError } from "../model-package.ts";
import { outputBudget } from "../output-budget.ts";
import { type GeneratorParts, generation } from "./generation.ts";

const dtypes: Readonly<Record<string, "fp32" | "fp16" | "q8" | "q4">> = {
  "onnx/model.onnx": "fp32",
  "onnx/model_fp16.onnx": "fp16",
  "onnx/model_quantized.onnx": "q8",
  "onnx/model_q4.onnx": "q4",
};

/**
 * Loads a decoder-only language model, laid out as Hugging Face lays them out, and generates one token with it.
 * Nothing is ever fetched. Throws {@link StartError}, or what the library throws.
 */
export async function loadGenerator({ dir, manifest }: ModelPackage, threads: number): Promise<Engine> {
  const { name, version } = manifest;
  const dtype = dtypes[manifest.file.path];
  if (dtype === undefined) {
    throw new StartError(`${dir}: file.path is none of ${Object.keys(dtypes).join(", ")}; name the graph so.`);
  }
  keepLocal(dirname(dirname(dir)));
  const reference = `${basename(dirname(dir))}/${basename(dir)}`;
  const tokenizer = await transformers.AutoTokenizer.from_pretrained(reference, { local_files_only: true });
  const session_options = { intraOpNumThreads: threads, interOpNumThreads: 1 };
  const loading = { local_files_only: true, dtype, device: "cpu", session_options } as const;
  const model = await transformers.AutoModelForCausalLM.from_pretrained(reference, loading);
  const contextTokens = contextOf(model.config, dir);
  const engine = new GeneratorEngine({ name, version, task: "chat" }, { tokenizer, model }, contextTokens);
  await warm(engine, dir);
  return engine;
}

/**
 * The library's settings are global. It may read models from the disk and nothing else; and its log is off, because on
 * a failed run it prints the model's inputs, which are the prompt.
 */
function keepLocal(modelsDir: string): void {
  const { env, LogLevel } = transformers;
  env.allowRemoteModels = false;
  env.localModelPath = modelsDir;
  env.useFSCache = false;
  env.useWasmCache = false;
  env.fetch = () => Promise.reject(new Error("The origin fetches nothing."));
  env.logLevel = LogLevel.NONE;
}

function contextOf(config: object, dir: string): number {
  const tokens = (config as { max_position_embeddings?: unknown }).max_position_embeddings;
  if (typeof tokens === "number" && tokens > 0) return tokens;
  throw new StartError(`${dir}/config.json names no max_position_embeddings: write it there.`);
}

async function warm(engine: GeneratorEngine, dir: string): Promise<void> {
  const run = await engine.chat({
    model: "",
    messages: [{ role: "user", content: "hi" }],
    max_tokens: 1,
    temperature: 0,
  });
  if (!run.ok) throw new StartError(`${dir} does not run: ${JSON.stringify(run.fault)}; make it anew with its recipe.`);
  let isWarm = false;
  await run.value.run(new AbortController().signal, ({ kind }) => {
    isWarm ||= kind === "end";
  });
  if (!isWarm) throw new StartError(`${dir} does not generate: make it anew with its recipe.`);
}

/** A small language model inside this process. Generations share its one thread token by token. */
export class GeneratorEngine implements Engine {
  readonly model: EngineModel;
  readonly #parts: GeneratorParts;
  readonly #contextTokens: number;
  readonly #promptCharsMax: number;

  constructor(model: EngineModel, parts: GeneratorParts, contextTokens: number) {
    this.model = model;
    this.#parts = parts;
    this.#contextTokens = contextTokens;
    this.#promptCharsMax = contextTokens * longestToken(parts.tokenizer);
  }

  async chat(request: ChatRequest): Promise<Result<PreparedChat>> {
    const parameters = chatParametersOf(request);
    if (!parameters.ok) return parameters;
    const read = this.#encode(parameters.value);
    if (!read.ok) return read;
    const { prompt, said } = read.value;
    const budget = outputBudget({
      promptTokens: prompt.length,
      contextTokens: this.#contextTokens,
      asked: parameters.value.tokensMax,
    });
    if (!budget.ok) return budget;
    // What was said already is of the same answer.
    const left = Math.max(0, budget.value - said.length);
    return ok({
      promptTokens: prompt.length + said.length,
      run: (signal, say) => generation(this.#parts, parameters.value, read.value, left, { signal, say }),
    });
  }

  async close(): Promise<void> {
    await this.#parts.model.dispose();
  }

  #encode({ messages, said }: Pick<ChatParameters, "messages" | "said">): Result<Reading> {
    // Even if every token were the longest there is, more characters than this can't fit: don't tokenize them to learn it.
    const chars = messages.reduce((sum, message) => sum + message.content.length, said.length);
    if (chars > this.#promptCharsMax) {
      return fail("context_length_exceeded", { detail: `The context has ${this.#contextTokens} tokens.` });
    }
    try {
      const text = this.#parts.tokenizer.apply_chat_template(
        messages.map((message) => ({ ...message })),
        { add_generation_prompt: true, tokenize: false },
      );
      const encode = (one: string) => this.#parts.tokenizer.encode(one, { add_special_tokens: false });
      return ok(readingOf(String(text), said, encode));
    } catch {
      // Templates raise on sequences of roles they were not trained on.
      return fail("invalid_request", {
        issues: [{ path: "messages", message: "The model's chat template does not take this sequence of messages." }],
      });
    }
  }
}

function longestToken(tokenizer: transformers.PreTrainedTokenizer): number {
  let longest = 1;
  for (const token of tokenizer.get_vocab().keys()) longest = Math.max(longest, token.length);
  return longest;
}
