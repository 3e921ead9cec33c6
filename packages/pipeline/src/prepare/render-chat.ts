import { Template } from "@huggingface/jinja";
import { fail, ok, type Result } from "@ledge/contract";
import { readJsonFile } from "../read-file.ts";
import type { PlainMessage } from "./plain-messages.ts";

/** The tokens that a template may write, by their names in `tokenizer_config.json`. */
const tokens = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

/** Writes the turns of a chat as the model was trained to read them, up to where its answer begins. Throws where the template does. */
export type RenderChat = (messages: readonly PlainMessage[]) => string;

/** Reads the chat template of a `tokenizer_config.json`. Fault: `model_not_ready`, whose cause says what is wrong with it. */
export function readChatTemplate(files: ReadonlyMap<string, Uint8Array>, path: string): Result<RenderChat> {
  const json = readJsonFile(files, path);
  if (!json.ok) return json;
  const config = (json.value ?? {}) as Readonly<Record<string, unknown>>;
  try {
    const template = new Template(templateIn(config.chat_template));
    const said = Object.fromEntries(tokens.flatMap((name) => tokenIn(name, config[name])));
    const rest = { ...said, add_generation_prompt: true, tools: null, documents: null };
    return ok((messages) => template.render({ ...rest, messages: messages.map((message) => ({ ...message })) }));
  } catch (error) {
    const reason = error instanceof Error ? error.message.slice(0, 300) : "";
    return fail("model_not_ready", { cause: `preprocess: ${path} has no chat template (${reason})` });
  }
}

/** One text, or several by name. */
function templateIn(value: unknown): string {
  const named = Array.isArray(value) ? value.find(({ name }) => name === "default")?.template : value;
  if (typeof named !== "string") throw new Error("chat_template is no text");
  return named;
}

function tokenIn(name: string, value: unknown): readonly (readonly [string, string])[] {
  const content = typeof value === "object" && value !== null && "content" in value ? value.content : value;
  return typeof content === "string" && content !== "" ? [[name, content]] : [];
}
