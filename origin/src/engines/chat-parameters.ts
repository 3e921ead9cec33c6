import { type ChatMessage, type ChatRequest, fail, type Issue, ok, type Result } from "@ledge/contract";
import { type PlainMessage, plainMessages } from "@ledge/pipeline";

/** What an engine of ours is told: OpenAI's parameters with their defaults filled in. */
export interface ChatParameters {
  readonly messages: readonly PlainMessage[];
  /** 0 means the likeliest token, always. Default 1. */
  readonly temperature: number;
  /** Default 1: no cut. */
  readonly topP: number;
  readonly seed: number | undefined;
  /** Tokens the caller allows; `undefined` leaves it to the engine. */
  readonly tokensMax: number | undefined;
  readonly stops: readonly string[];
  /** What was said already of the answer that is to be gone on with; "" for one that is begun. */
  readonly said: string;
}

type Honoured = (value: unknown) => boolean;
const anything: Honoured = () => true;
const only =
  (...values: unknown[]): Honoured =>
  (value) =>
    values.includes(value);
const empty: Honoured = (value) => typeof value === "object" && value !== null && Object.keys(value).length === 0;
const plainText: Honoured = (value) =>
  typeof value === "object" && value !== null && "type" in value && value.type === "text";

/**
 * Every member of a request these engines honour, with the values they honour. What is not here is refused by name:
 * to ignore a parameter silently would be to answer another question.
 */
const honoured: ReadonlyMap<string, Honoured> = new Map<string, Honoured>([
  ...["model", "messages", "stream", "stream_options", "temperature", "top_p", "seed", "max_tokens"].map(
    (name): [string, Honoured] => [name, anything],
  ),
  ["max_completion_tokens", anything],
  ["stop", anything],
  // These name or file the call and change no answer.
  ...["user", "metadata", "safety_identifier", "prompt_cache_key", "service_tier"].map((name): [string, Honoured] => [
    name,
    anything,
  ]),
  ["store", only(false)],
  ["n", only(1)],
  ["logprobs", only(false)],
  ["top_logprobs", only(0)],
  ["frequency_penalty", only(0)],
  ["presence_penalty", only(0)],
  ["logit_bias", empty],
  ["tools", empty],
  ["functions", empty],
  ["tool_choice", only("none", "auto")],
  ["function_call", only("none", "auto")],
  ["parallel_tool_calls", only(true, false)],
  ["response_format", plainText],
  ["modalities", (value) => Array.isArray(value) && value.every((mode) => mode === "text")],
]);

const honouredOfMessage: ReadonlySet<string> = new Set(["role", "content", "name", "refusal", "annotations"]);

/** Fails with `unsupported_parameter`, naming every parameter that cannot be honoured. */
export function chatParametersOf(request: ChatRequest): Result<ChatParameters> {
  const issues = [...requestIssues(request), ...request.messages.flatMap(messageIssues)];
  if (issues.length > 0) {
    const names = issues.slice(0, 5).map((issue) => `'${issue.path}'`);
    return fail("unsupported_parameter", { detail: `Not honoured: ${names.join(", ")}.`, issues: issues.slice(0, 20) });
  }
  return ok({
    messages: plainMessages(request.messages),
    temperature: request.temperature ?? 1,
    topP: request.top_p ?? 1,
    seed: request.seed ?? undefined,
    tokensMax: request.max_completion_tokens ?? request.max_tokens ?? undefined,
    stops: typeof request.stop === "string" ? [request.stop] : (request.stop ?? []),
    said: request.stream_options?.resume?.text ?? "",
  });
}

function requestIssues(request: ChatRequest): Issue[] {
  return Object.entries(request)
    .filter(([name, value]) => value !== undefined && value !== null && honoured.get(name)?.(value) !== true)
    .map(([name]) => ({
      path: name.slice(0, 100),
      message: honoured.has(name) ? "The model cannot honour this value." : "The model does not know this parameter.",
    }));
}

function messageIssues(message: ChatMessage, index: number): Issue[] {
  const members = Object.entries(message)
    .filter(([name, value]) => value !== undefined && value !== null && !honouredOfMessage.has(name))
    .map(([name]) => ({ path: `messages[${index}].${name.slice(0, 100)}`, message: "The model cannot read this." }));
  if ((message.content ?? undefined) === undefined) {
    members.push({ path: `messages[${index}].content`, message: "The model has no tools: it takes what was said." });
  }
  if (message.role !== "tool") return members;
  return [...members, { path: `messages[${index}].role`, message: "The model has no tools." }];
}
