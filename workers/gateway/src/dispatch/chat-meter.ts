import { type ChatUsage, type StreamUsage, streamUsageMark, type Used } from "@ledge/contract";
import { type ChatPart, membersOf, objectIn } from "./chat-part.ts";

/**
 * What an answer has used so far. A stream that ends well says it itself; of one that breaks off, what has passed is counted: the
 * prompt as the engine told it, and a token for each piece.
 */
export class ChatMeter {
  /** Events that have passed: the first tells who speaks, the others hold a token each, more or less. */
  pieces = 0;
  readonly #promptTokens: number | undefined;
  #used: Used | undefined;

  constructor(promptTokens?: number) {
    this.#promptTokens = promptTokens;
  }

  /** One part of an answer that is shared or kept. */
  take(part: ChatPart): void {
    this.pieces += 1;
    if (typeof part !== "string") this.takeUsage(membersOf(part).usage);
  }

  /** What the engine says the whole has used. */
  takeUsage(usage: ChatUsage | null | undefined, runMs?: number): void {
    if (!usage || !isCount(usage.prompt_tokens) || !isCount(usage.completion_tokens)) return;
    this.#used = usedOf(usage.prompt_tokens, usage.completion_tokens, runMs);
  }

  /** The origin's own comment behind a stream. */
  say(comment: string): void {
    if (!comment.startsWith(streamUsageMark)) return;
    const { input_tokens, output_tokens, run_ms }: Partial<StreamUsage> =
      objectIn(comment.slice(streamUsageMark.length)) ?? {};
    if (isCount(input_tokens) && isCount(output_tokens))
      this.#used = usedOf(input_tokens, output_tokens, timeIn(run_ms));
  }

  get used(): Used {
    return this.#used ?? usedOf(this.#promptTokens ?? 0, Math.max(0, this.pieces - 1));
  }
}

function usedOf(inputTokens: number, outputTokens: number, runMs?: number): Used {
  return { inputTokens, outputTokens, ...(runMs === undefined ? {} : { runMs }) };
}

function timeIn(value: unknown): number | undefined {
  return typeof value === "number" && value >= 0 && value < Number.MAX_SAFE_INTEGER ? value : undefined;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
