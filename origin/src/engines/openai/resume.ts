import {
  type ChatRequest,
  type CompletionRequest,
  fail,
  type Issue,
  ok,
  type Result,
  type Resume,
} from "@ledge/contract";
import type { ChatRun } from "../engine.ts";

/** Members by which an answer has a form from its first token on: a server would begin that form anew. */
const forms = ["structured_outputs", "guided_json", "guided_regex", "guided_choice", "guided_grammar", "regex", "ebnf"];

/**
 * A request as a server takes it that goes on with the last message: vLLM's and SGLang's `continue_final_message`. A request that
 * resumes nothing stays as it is; `undefined` when its limit leaves nothing to say. Faults: `unsupported_parameter`.
 */
export function resumedRequest(request: ChatRequest, can: boolean): Result<ChatRequest | undefined> {
  const { stream_options: options, ...members } = request;
  if (!options?.resume) return ok(request);
  const { resume, ...others } = options;
  if (resume.text === "") return ok({ ...members, stream_options: others });
  const issues = can ? slipsOf(request, resume) : [issue("stream_options.resume", "The server cannot do it.")];
  if (issues.length > 0) return fail("unsupported_parameter", { detail: "An answer cannot be resumed so.", issues });
  const limits = lessened(request, resume.tokens ?? 0);
  if (Object.values(limits).some((limit) => limit <= 0)) return ok(undefined);
  return ok({
    ...members,
    ...limits,
    messages: [...request.messages, { role: "assistant", content: resume.text }],
    add_generation_prompt: false,
    continue_final_message: true,
    stream_options: others,
  });
}

/** A completion is resumed by its caller, who adds what came to the prompt. Faults: `unsupported_parameter`. */
export function withoutResume({ stream_options: options }: CompletionRequest): Result<true> {
  if (options?.resume === undefined) return ok(true);
  return fail("unsupported_parameter", { issues: [issue("stream_options.resume", "Put the text after the prompt.")] });
}

function slipsOf(request: ChatRequest, { tokens }: Resume): readonly Issue[] {
  const { n, response_format: format, tool_choice: choice, max_tokens, max_completion_tokens } = request;
  const limited = (max_tokens ?? max_completion_tokens ?? undefined) !== undefined;
  const formed = forms.filter((name) => (request[name] ?? undefined) !== undefined);
  return [
    ...((n ?? 1) === 1 ? [] : [issue("n", "One answer can be resumed.")]),
    ...(isText(format) ? [] : [issue("response_format", "Only text can be resumed.")]),
    ...formed.map((name) => issue(name, "Only text can be resumed.")),
    ...(choice === undefined || choice === null || choice === "auto" || choice === "none"
      ? []
      : [issue("tool_choice", "A call of a tool cannot be resumed.")]),
    ...(limited && tokens === undefined
      ? [issue("stream_options.resume.tokens", "Say how many tokens came: the limit is of the whole answer.")]
      : []),
  ];
}

function isText(format: unknown): boolean {
  const { type }: { type?: unknown } = typeof format === "object" && format !== null ? format : { type: "text" };
  return type === "text";
}

function issue(path: string, message: string): Issue {
  return { path, message };
}

function lessened(
  { max_tokens, max_completion_tokens }: ChatRequest,
  tokens: number,
): Readonly<Record<string, number>> {
  const limits = Object.entries({ max_tokens, max_completion_tokens });
  return Object.fromEntries(limits.flatMap(([name, limit]) => (limit ? [[name, limit - tokens]] : [])));
}

/** Says that the answer has come to its limit. */
export const nothingLeft: ChatRun = async (_signal, say) =>
  say({ kind: "end", finishReason: "length", promptTokens: 0, completionTokens: 0 });
