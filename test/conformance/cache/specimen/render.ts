import type { Fault } from "./faults.ts";
import type { Chunk, Delta, ToolPart } from "./flight.ts";

type Has = (fault: Fault) => boolean;

/** What is kept of a stream's chunks. */
export function recordOf(chunks: readonly Chunk[], has: Has): readonly Chunk[] {
  return chunks
    .filter(({ usage }) => usage === undefined || usage === null || !has("forgets what a stream cost"))
    .slice(0, has("loses the end of a stream") ? -3 : undefined)
    .map((chunk) => ({
      ...chunk,
      choices: chunk.choices
        .filter(({ index }) => index === 0 || !has("keeps the first choice only"))
        .map((choice) => {
          const { tool_calls, ...delta } = choice.delta;
          const kept = tool_calls === undefined || has("loses tool calls") ? delta : { ...delta, tool_calls };
          return { ...choice, delta: kept };
        }),
    }));
}

/** The events of a replay. Usage is told only to who asked. */
export function eventsOf(chunks: readonly Chunk[], includeUsage: boolean, has: Has): string {
  const told = has("replays streams in one piece") ? [joinedChunk(chunks)] : chunks;
  return `${told.map((chunk) => eventOf(chunk, includeUsage)).join("")}data: [DONE]\n\n`;
}

export function eventOf(chunk: Chunk, includeUsage: boolean): string {
  if (includeUsage) return `data: ${JSON.stringify(chunk)}\n\n`;
  const { usage, ...rest } = chunk;
  return usage !== undefined && usage !== null && chunk.choices.length === 0 ? "" : `data: ${JSON.stringify(rest)}\n\n`;
}

function joinedChunk(chunks: readonly Chunk[]): Chunk {
  const choices = messagesIn(chunks).map(({ message, finish_reason }, index) => {
    return { index, delta: message as Delta, finish_reason };
  });
  return { ...chunks[0], choices, usage: usageIn(chunks) };
}

/** The whole form. */
export function wholeOf(chunks: readonly Chunk[]): object {
  const choices = messagesIn(chunks).map((choice, index) => ({ index, logprobs: null, ...choice }));
  return { ...chunks[0], object: "chat.completion", choices, usage: usageIn(chunks) };
}

function usageIn(chunks: readonly Chunk[]): unknown {
  return chunks.findLast(({ usage }) => usage !== undefined && usage !== null)?.usage ?? null;
}

function messagesIn(chunks: readonly Chunk[]) {
  const choices: { content: string; tools: ToolPart[]; finish_reason: string | null }[] = [];
  for (const { index, delta, finish_reason } of chunks.flatMap((chunk) => chunk.choices)) {
    const choice = choices[index] ?? { content: "", tools: [], finish_reason: null };
    choices[index] = choice;
    choice.content += delta.content ?? "";
    choice.finish_reason = finish_reason ?? choice.finish_reason;
    for (const part of delta.tool_calls ?? []) {
      const before = choice.tools[part.index];
      choice.tools[part.index] = before === undefined ? part : joinedTool(before, part);
    }
  }
  return choices.map(({ content, tools, finish_reason }) => {
    const message = { role: "assistant", content: tools.length > 0 ? null : content };
    return { message: tools.length > 0 ? { ...message, tool_calls: tools } : message, finish_reason };
  });
}

function joinedTool(one: ToolPart, other: ToolPart): ToolPart {
  return { ...one, function: { ...one.function, arguments: one.function.arguments + other.function.arguments } };
}
