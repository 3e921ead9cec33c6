import {
  type ChatRequest,
  chatTemplateStep,
  fail,
  type ModelManifest,
  ok,
  type PackageFile,
  type PredictInput,
  type Prompt,
  type Result,
} from "@ledge/contract";
import { choosePreparer } from "./prepare/choose-preparer.ts";
import { plainMessages } from "./prepare/plain-messages.ts";
import type { PreparedRow } from "./prepare/preparer.ts";
import { readingOf } from "./prepare/reading.ts";
import { readChatTemplate } from "./prepare/render-chat.ts";
import { encode, readTokenizer } from "./prepare/tokenize.ts";
import { readStep } from "./read-step.ts";

/**
 * How many tokens a prompt is for a model, or a fault where that is not known: a prompt that the model does not take, a chat that
 * more than its messages go into.
 */
export type CountPrompt = (prompt: Prompt) => Result<number>;

/** The files of a package that counting takes: not its graph. */
export function filesOfCounting({ preprocess, files = [] }: ModelManifest): readonly PackageFile[] {
  const named = [preprocess?.tokenizer, preprocess?.config, preprocess?.template];
  return files.filter(({ path }) => named.includes(path));
}

/**
 * Counts as the model's own engine counts: by the step before its graph, or by its chat template.
 * Fault: `model_not_ready`, whose cause says why this package cannot be counted for.
 */
export function createPromptCounter(
  { preprocess, inputs }: ModelManifest,
  files: ReadonlyMap<string, Uint8Array>,
): Result<CountPrompt> {
  if (preprocess === undefined) return fail("model_not_ready", { cause: "The package has no steps." });
  if (preprocess.kind === "chat-template") return chatCounter(preprocess, files);
  const preparer = choosePreparer(preprocess, inputs, files);
  if (!preparer.ok) return preparer;
  if (preparer.value.takes !== "text") return fail("model_not_ready", { cause: "The package's step takes no texts." });
  return ok(textCounter(preparer.value.prepare));
}

/** By the step before a graph, as it is made ready. */
export function textCounter(prepare: (input: PredictInput) => Result<PreparedRow>): CountPrompt {
  return (prompt) => {
    if (!("texts" in prompt)) return unknown("The model takes texts.");
    let tokens = 0;
    for (const text of prompt.texts) {
      const row = prepare(text);
      if (!row.ok) return row;
      tokens += row.value.tokens;
    }
    return ok(tokens);
  };
}

function chatCounter(step: object, files: ReadonlyMap<string, Uint8Array>): Result<CountPrompt> {
  const spec = readStep("preprocess", chatTemplateStep, step);
  if (!spec.ok) return spec;
  const render = readChatTemplate(files, spec.value.template);
  if (!render.ok) return render;
  const tokenizer = readTokenizer(files, spec.value.tokenizer, spec.value.template);
  if (!tokenizer.ok) return tokenizer;
  return ok((prompt) => {
    if (!("chat" in prompt)) return unknown("The model takes chats.");
    if (!isMessagesAlone(prompt.chat)) return unknown("More than its messages may go into the prompt.");
    try {
      const text = render.value(plainMessages(prompt.chat.messages));
      const { prompt: asked, said } = readingOf(text, prompt.chat.stream_options?.resume?.text ?? "", (one) =>
        encode(tokenizer.value, one),
      );
      return ok(asked.length + said.length);
    } catch {
      // Templates raise on sequences of roles they were not trained on.
      return unknown("The model's chat template does not take this sequence of messages.");
    }
  });
}

/** Members of a request that add nothing to what the model reads. */
const aside = new Set([
  ...["model", "messages", "stream", "stream_options", "temperature", "top_p", "seed", "stop", "n"],
  ...["max_tokens", "max_completion_tokens", "frequency_penalty", "presence_penalty", "logit_bias", "logprobs"],
  ...["top_logprobs", "user", "metadata", "safety_identifier", "prompt_cache_key", "service_tier", "store"],
]);
const asideInMessages = new Set(["role", "content", "name", "refusal", "annotations"]);

function isMessagesAlone(chat: ChatRequest): boolean {
  const knows = (names: ReadonlySet<string>, of: object) =>
    Object.entries(of).every(([name, value]) => value === undefined || value === null || names.has(name));
  return knows(aside, chat) && chat.messages.every((one) => one.role !== "tool" && knows(asideInMessages, one));
}

function unknown(cause: string): Result<never> {
  return fail("unsupported_parameter", { cause });
}
