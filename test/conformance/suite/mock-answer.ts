import type { OriginCall } from "./mock-origin.ts";

/** The forms in which the mock origin answers: OpenAI's chat completion, whole and as chunks. */

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** JSON, as a model writes it. */
  readonly arguments: string;
}

export interface AnswerTurn {
  readonly kind: "answer";
  /** The text, in the pieces that a stream sends. */
  readonly pieces: readonly string[];
  readonly toolCalls?: readonly ToolCall[];
  /** A second choice beside the first. */
  readonly second?: string;
  /** Waits for this before the first byte. */
  readonly hold?: Promise<unknown>;
  /** A stream waits for this after its first piece. */
  readonly holdAfterFirst?: Promise<unknown>;
  /** "odd": the same stream, cut and padded as hostilely as the format allows. */
  readonly wire?: "odd";
}

interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

export function usageOf({ pieces }: AnswerTurn): Usage {
  return { prompt_tokens: 11, completion_tokens: pieces.length + 1, total_tokens: pieces.length + 12 };
}

export function wholeAnswer(turn: AnswerTurn, call: OriginCall): object {
  const { pieces, toolCalls, second } = turn;
  const message = {
    role: "assistant",
    content: toolCalls === undefined ? pieces.join("") : null,
    refusal: null,
    ...(toolCalls === undefined ? {} : { tool_calls: toolCalls.map(toolCallOf) }),
  };
  const finish_reason = finishOf(turn);
  const others = second === undefined ? [] : [{ ...message, content: second }];
  const choices = [message, ...others].map((one, index) => ({ index, message: one, logprobs: null, finish_reason }));
  return { ...headOf(call), object: "chat.completion", choices, usage: usageOf(turn) };
}

/** The events up to the last piece; the first of them only says the role. */
export function pieceEvents(turn: AnswerTurn, call: OriginCall): readonly string[] {
  const { pieces, toolCalls = [], second } = turn;
  const deltas = toolCalls.flatMap((tool, index) => toolDeltas(tool, index));
  return [
    event(call, [choice(0, { role: "assistant", content: toolCalls.length === 0 ? "" : null })]),
    ...pieces.map((content) => event(call, [choice(0, { content })])),
    ...deltas.map((delta) => event(call, [choice(0, { tool_calls: [delta] })])),
    ...(second === undefined ? [] : [event(call, [choice(1, { role: "assistant", content: second })])]),
  ];
}

/** Why it ended, what it cost when the caller asked, and `[DONE]`. */
export function streamEnd(turn: AnswerTurn, call: OriginCall, usage: Usage | undefined): readonly string[] {
  const choices = [0, ...(turn.second === undefined ? [] : [1])];
  return [
    ...choices.map((index) => event(call, [choice(index, {}, finishOf(turn))])),
    ...(usage === undefined ? [] : [event(call, [], usage)]),
    "data: [DONE]\n\n",
  ];
}

function finishOf({ toolCalls }: AnswerTurn): string {
  return toolCalls === undefined ? "stop" : "tool_calls";
}

function headOf({ index, body }: OriginCall) {
  return { id: `chatcmpl-mock-${index}`, created: 1_700_000_000, model: String(body.model) };
}

function event(call: OriginCall, choices: readonly object[], usage?: Usage): string {
  const chunk = {
    ...headOf(call),
    object: "chat.completion.chunk",
    choices,
    ...(usage === undefined ? {} : { usage }),
  };
  return `data: ${JSON.stringify(chunk)}\n\n`;
}

function choice(index: number, delta: object, finishReason: string | null = null): object {
  return { index, delta, logprobs: null, finish_reason: finishReason };
}

function toolCallOf({ id, name, arguments: text }: ToolCall): object {
  return { id, type: "function", function: { name, arguments: text } };
}

/** As OpenAI streams them: the name first, then the arguments in two pieces. */
function toolDeltas({ id, name, arguments: text }: ToolCall, index: number): readonly object[] {
  const middle = Math.floor(text.length / 2);
  return [
    { index, id, type: "function", function: { name, arguments: "" } },
    { index, function: { arguments: text.slice(0, middle) } },
    { index, function: { arguments: text.slice(middle) } },
  ];
}
