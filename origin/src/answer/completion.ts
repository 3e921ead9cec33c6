import type { ChatChunk, ChatCompletion, ChatUsage, Fault, Result } from "@ledge/contract";
import type { ChatEvent } from "../engines/engine.ts";

/** What names one answer; the same in its every chunk. */
export interface CompletionHead {
  readonly id: string;
  /** Seconds since 1970. */
  readonly created: number;
  readonly model: string;
  /** It goes on with a stream that broke off: `id` is that one's. */
  readonly resumed?: boolean;
}

type End = Extract<ChatEvent, { kind: "end" }>;
type Choice = ChatChunk["choices"][number];

export function usageOf(end: End): ChatUsage {
  const { promptTokens, completionTokens, usage } = end;
  const total = { total_tokens: promptTokens + completionTokens };
  return usage ?? { prompt_tokens: promptTokens, completion_tokens: completionTokens, ...total };
}

/** A whole answer: what a server said under the name it was asked by, or made of the same events as a stream, so that both say the same. */
export async function completionOf(
  { resumed, ...head }: CompletionHead,
  events: AsyncIterable<ChatEvent>,
): Promise<Result<{ readonly body: object; readonly end: End }>> {
  let content = "";
  let said: object | undefined;
  for await (const event of events) {
    if (event.kind === "text") content += event.text;
    else if (event.kind === "said") said = { ...event.body, ...(resumed ? { id: head.id } : {}), model: head.model };
    else if (event.kind === "fault") return { ok: false, fault: event.fault };
    else return { ok: true, value: { body: said ?? wholeAnswer(head, content, event), end: event } };
  }
  const fault: Fault = { code: "upstream_failed", cause: "the generation ended without saying how" };
  return { ok: false, fault };
}

function wholeAnswer(head: Omit<CompletionHead, "resumed">, content: string, end: End): ChatCompletion {
  const message = { role: "assistant", content, refusal: null } as const;
  return {
    ...head,
    object: "chat.completion",
    choices: [{ index: 0, message, logprobs: null, finish_reason: end.finishReason }],
    usage: usageOf(end),
  };
}

/**
 * Makes the chunks of one stream. With `includeUsage` every chunk has `usage`, null in all but the last. What a server said stays in
 * its words but for the model's name, and the last chunk then belongs to its answer.
 */
export function chunkMaker({ resumed, ...head }: CompletionHead, includeUsage: boolean) {
  let said: Readonly<Record<string, unknown>> = {};
  const chunk = (choices: Choice[], usage: ChatUsage | null): ChatChunk => ({
    ...head,
    object: "chat.completion.chunk",
    choices,
    ...(includeUsage ? { usage } : {}),
  });
  const choice = (delta: Choice["delta"], finishReason: Choice["finish_reason"]): Choice => ({
    index: 0,
    delta,
    logprobs: null,
    finish_reason: finishReason,
  });
  // What goes on with a stream has that one's id, whatever the server calls it.
  const named = resumed ? { id: head.id, model: head.model } : { model: head.model };
  return {
    role: () => chunk([choice({ role: "assistant", content: "" }, null)], null),
    text: (content: string) => chunk([choice({ content }, null)], null),
    finish: (end: End) => chunk([choice({}, end.finishReason)], null),
    said: (body: Readonly<Record<string, unknown>>) => {
      const { usage: _usage, ...members } = body;
      const { choices: _choices, ...naming } = members;
      said = naming;
      return { ...members, ...named, ...(includeUsage ? { usage: null } : {}) };
    },
    usage: (end: End) => ({ ...chunk([], usageOf(end)), ...said, ...named }),
  };
}
