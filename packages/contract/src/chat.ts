import * as z from "zod/mini";

/** OpenAI's chat completions, the part every engine behind Ledge shares. Unknown members pass through to the engine. */

const textPart = z.object({ type: z.literal("text"), text: z.string() });

const message = z
  .looseObject({
    role: z.enum(["system", "developer", "user", "assistant", "tool"]),
    /** Absent or null only where an assistant called tools and said nothing. */
    content: z.optional(z.nullable(z.union([z.string(), z.array(textPart).check(z.minLength(1), z.maxLength(64))]))),
    name: z.optional(z.string().check(z.maxLength(64))),
  })
  .check(
    z.refine(({ role, content }) => role === "assistant" || typeof (content ?? undefined) !== "undefined", {
      path: ["content"],
      message: "Only an assistant's message may have no content.",
    }),
  );
export type ChatMessage = z.infer<typeof message>;

const count = z.int().check(z.gte(1), z.lte(1_000_000));

/** What a caller has of a stream that broke off: the answer is only what comes after it (docs/resilience.md). */
const resume = z.strictObject({
  /** All text that came, joined. */
  text: z.string(),
  /** How many tokens that was: a server that does not count them itself lessens `max_tokens` by it. */
  tokens: z.optional(z.int().check(z.gte(0), z.lte(1_000_000))),
  /** The id of the stream that broke off, for this one to have too. */
  id: z.optional(z.string().check(z.regex(/^[\w-]{1,128}$/))),
  /** The origin that broke off, as `Ledge-Origin` named it: another is asked if one can. */
  origin: z.optional(z.string().check(z.regex(/^[a-z0-9][a-z0-9-]{0,31}$/))),
});
export type Resume = z.infer<typeof resume>;

export const chatRequest = z.looseObject({
  model: z.string().check(z.minLength(1), z.maxLength(128)),
  messages: z.array(message).check(z.minLength(1), z.maxLength(256)),
  stream: z.optional(z.nullable(z.boolean())),
  stream_options: z.optional(
    z.nullable(z.looseObject({ include_usage: z.optional(z.boolean()), resume: z.optional(z.nullable(resume)) })),
  ),
  temperature: z.optional(z.nullable(z.number().check(z.gte(0), z.lte(2)))),
  top_p: z.optional(z.nullable(z.number().check(z.gt(0), z.lte(1)))),
  seed: z.optional(z.nullable(z.int())),
  max_tokens: z.optional(z.nullable(count)),
  max_completion_tokens: z.optional(z.nullable(count)),
  stop: z.optional(
    z.nullable(
      z.union([
        z.string().check(z.minLength(1), z.maxLength(256)),
        z.array(z.string().check(z.minLength(1), z.maxLength(256))).check(z.maxLength(4)),
      ]),
    ),
  ),
  n: z.optional(z.nullable(z.int().check(z.gte(1), z.lte(128)))),
  user: z.optional(z.nullable(z.string())),
});
export type ChatRequest = z.infer<typeof chatRequest>;

/** Our own engines say the first two; a server behind may say the others. */
export type FinishReason = "stop" | "length" | "tool_calls" | "content_filter";

export interface ChatUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

/** A whole answer: the body of a call without `stream`. */
export interface ChatCompletion {
  readonly id: string;
  readonly object: "chat.completion";
  /** Seconds since 1970. */
  readonly created: number;
  readonly model: string;
  readonly choices: readonly {
    readonly index: number;
    readonly message: { readonly role: "assistant"; readonly content: string; readonly refusal: null };
    readonly logprobs: null;
    readonly finish_reason: FinishReason;
  }[];
  readonly usage: ChatUsage;
}

/** One event of a stream. The last one with `include_usage` has no choices and carries `usage`. */
export interface ChatChunk {
  readonly id: string;
  readonly object: "chat.completion.chunk";
  readonly created: number;
  readonly model: string;
  readonly choices: readonly {
    readonly index: number;
    readonly delta: { readonly role?: "assistant"; readonly content?: string };
    readonly logprobs: null;
    readonly finish_reason: FinishReason | null;
  }[];
  readonly usage?: ChatUsage | null;
}
