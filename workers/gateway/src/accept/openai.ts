import { type ChatMessage, chatRequest, errors, type Fault, fail, ok, parse, type Result } from "@ledge/contract";
import { parseModelRef } from "@ledge/policy";
import type { ChatCall, DeployedModel } from "../exchange.ts";
import { jsonReply, type Reply } from "../reply.ts";
import { doesTask } from "../task.ts";

/** OpenAI's surface: chat completions, the model list, and its error object. */
export function acceptChat(body: unknown): Result<ChatCall> {
  const request = parse(chatRequest, body);
  if (!request.ok) return request;
  const ref = parseModelRef(request.value.model);
  if (ref === undefined)
    return fail("model_not_found", { detail: "A model is named like 'tiny-chat' or 'tiny-chat@1'." });
  return ok({
    task: "chat",
    model: ref,
    body: request.value,
    stream: request.value.stream === true,
    includeUsage: request.value.stream_options?.include_usage === true,
  });
}

/** What is to be judged of a chat: its messages, and as a turn of the caller's what it says that was said of the answer. */
export function turnsOf({ body }: ChatCall): readonly ChatMessage[] {
  const content = body.stream_options?.resume?.text;
  return content ? [...body.messages, { role: "user", content }] : body.messages;
}

/** Of all the answers it asks for; `undefined` when it sets no bound. */
export function outputTokensMax({ body }: ChatCall): number | undefined {
  const each = body.max_completion_tokens ?? body.max_tokens ?? undefined;
  return each === undefined ? undefined : each * (body.n ?? 1);
}

/** The call, with a bound of so many tokens of all its answers. */
export function boundOutput(call: ChatCall, tokens: number): ChatCall {
  const each = Math.max(1, Math.floor(tokens / (call.body.n ?? 1)));
  return { ...call, body: { ...call.body, max_completion_tokens: each } };
}

/** Errors: `unsupported_task`. */
export function chatCallOf(call: ChatCall, model: DeployedModel): Result<ChatCall> {
  const task = doesTask(model, "chat");
  return task.ok ? ok(call) : task;
}

export function presentOpenAiModel(model: DeployedModel): object {
  // `created` is required by the clients' types; a package does not say when it was made, and 0 claims nothing.
  return { id: model.name, object: "model", created: 0, owned_by: "ledge", version: model.version };
}

export function presentOpenAiModels(models: readonly DeployedModel[]): Reply {
  return jsonReply({ object: "list", data: models.map(presentOpenAiModel) });
}

/** The error object OpenAI's clients turn into exceptions; `code` is ours, `param` the first fault's place. */
export function openAiError(fault: Fault): object {
  const entry = errors[fault.code];
  const issues = fault.issues?.map((issue) => `${issue.path}: ${issue.message}`) ?? [];
  const message = [entry.message, ...(fault.detail === undefined ? [] : [fault.detail]), ...issues].join(" ");
  return {
    error: { message, type: errorType(entry.status), code: fault.code, param: fault.issues?.[0]?.path ?? null },
  };
}

export function presentOpenAiFault(fault: Fault): Reply {
  return jsonReply(openAiError(fault), errors[fault.code].status);
}

function errorType(status: number): string {
  if (status === 401) return "authentication_error";
  if (status === 403) return "permission_error";
  if (status === 429) return "rate_limit_error";
  return status >= 500 ? "api_error" : "invalid_request_error";
}
