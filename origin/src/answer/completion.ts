import { type ChatChunk, type ChatCompletion, type ChatUsage, fail, ok, type Result } from "@ledge/contract";
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
export class WholeAnswer {
  readonly #head: CompletionHead;
  #content = "";
  #said: object | undefined;
  #result: Result<Completed> | undefined;

  constructor(head: CompletionHead) {
    this.#head = head;
  }

  take(event: ChatEvent): void {
    const { resumed, ...head } = this.#head;
    if (event.kind === "text") this.#content += event.text;
    else if (event.kind === "said")
      this.#said = { ...event.body, ...(resumed ? { id: head.id } : {}), model: head.model };
    else if (event.kind === "fault") this.#result = { ok: false, fault: event.fault };
    else this.#result = ok({ body: this.#said ?? wholeAnswer(head, this.#content, event), end: event });
  }

  /** What came of it, once it has ended. */
  result(): Result<Completed> {
    return this.#result ?? fail("upstream_failed", { cause: "the generation ended without saying how" });
  }
}

interface Completed {
  readonly body: object;
  readonly end: End;
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
export class ChunkMaker {
  readonly #head: Omit<CompletionHead, "resumed">;
  readonly #includeUsage: boolean;
  /** What goes on with a stream has that one's id, whatever the server calls it. */
  readonly #named: Readonly<Record<string, string>>;
  #said: Members = {};

  constructor({ resumed, ...head }: CompletionHead, includeUsage: boolean) {
    this.#head = head;
    this.#includeUsage = includeUsage;
    this.#named = resumed ? { id: head.id, model: head.model } : { model: head.model };
  }

  role(): ChatChunk {
    return this.#chunk([choice({ role: "assistant", content: "" }, null)], null);
  }

  text(content: string): ChatChunk {
    return this.#chunk([choice({ content }, null)], null);
  }

  finish(end: End): ChatChunk {
    return this.#chunk([choice({}, end.finishReason)], null);
  }

  said(body: Members): object {
    const { usage: _usage, ...members } = body;
    this.#said = members;
    return { ...members, ...this.#named, ...(this.#includeUsage ? { usage: null } : {}) };
  }

  usage(end: End): object {
    const { choices: _choices, ...naming } = this.#said;
    return { ...this.#chunk([], usageOf(end)), ...naming, ...this.#named };
  }

  #chunk(choices: Choice[], usage: ChatUsage | null): ChatChunk {
    const used = this.#includeUsage ? { usage } : {};
    return { ...this.#head, object: "chat.completion.chunk", choices, ...used };
  }
}

type Members = Readonly<Record<string, unknown>>;

function choice(delta: Choice["delta"], finishReason: Choice["finish_reason"]): Choice {
  return { index: 0, delta, logprobs: null, finish_reason: finishReason };
}
