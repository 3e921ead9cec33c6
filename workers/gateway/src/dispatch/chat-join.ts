import type { ChatUsage } from "@ledge/contract";
import { type ChatPart, type ChatPartMembers, membersOf, type PartChoice, type Stamp } from "./chat-part.ts";

/** The two forms of one answer: the parts of a stream, and a whole completion. */

interface Completion {
  readonly choices: readonly WholeChoice[];
  readonly usage?: ChatUsage | null;
  readonly [member: string]: unknown;
}

interface WholeChoice {
  readonly index: number;
  readonly message: Readonly<Record<string, unknown>>;
  readonly finish_reason: string;
  readonly [member: string]: unknown;
}

type Members = Record<string, unknown>;

/** The completion that the parts add up to. */
export function joined(parts: readonly ChatPart[], { id, created, model }: Stamp): object {
  let beside: Members = {};
  let usage: ChatUsage | null = null;
  const choices = new Map<number, { message: Members; rest: Members }>();
  for (const part of parts) {
    const { choices: said = [], usage: costs, ...others } = membersOf(part);
    beside = { ...beside, ...others };
    usage = costs ?? usage;
    for (const { index, delta, ...rest } of said) {
      const choice = choices.get(index) ?? { message: {}, rest: {} };
      choices.set(index, { message: grown(choice.message, delta), rest: grown(choice.rest, rest) });
    }
  }
  const inOrder = [...choices].sort(([a], [b]) => a - b);
  const whole = inOrder.map(([index, { message, rest }]) => ({
    index,
    message: { role: "assistant", content: null, refusal: null, ...spoken(message) },
    logprobs: null,
    ...rest,
  }));
  return { id, object: "chat.completion", created, model, ...beside, choices: whole, usage };
}

/** Text that was begun for nothing, before a call of a tool, was never said. */
function spoken(message: Members): Members {
  const { content, tool_calls: calls, ...rest } = message;
  const tools = Array.isArray(calls) ? { tool_calls: calls.map(withoutIndex) } : {};
  return { ...rest, content: content === "" && Array.isArray(calls) ? null : (content ?? null), ...tools };
}

function withoutIndex(item: unknown): unknown {
  if (!isMembers(item)) return item;
  const { index: _index, ...rest } = item;
  return rest;
}

/** Said once, and by some engines again with every piece. */
const names = new Set(["role", "id", "type", "name", "finish_reason"]);

/** What was said so far and what is said now: texts and lists grow, all else is replaced, and null says nothing new. */
function grown(before: Readonly<Members>, now: Readonly<Members>): Members {
  const after = { ...before };
  for (const [name, value] of Object.entries(now)) {
    const known = after[name];
    if (value === null) after[name] = known ?? null;
    else if (names.has(name)) after[name] = value;
    else if (typeof known === "string" && typeof value === "string") after[name] = known + value;
    else if (Array.isArray(value)) after[name] = grownList(Array.isArray(known) ? known : [], value);
    else if (isMembers(value)) after[name] = grown(isMembers(known) ? known : {}, value);
    else after[name] = value;
  }
  return after;
}

/** Items that say their place, as calls of tools do, grow there; others are added. */
function grownList(before: readonly unknown[], now: readonly unknown[]): unknown[] {
  const after = [...before];
  for (const item of now) {
    const place = isMembers(item) && typeof item.index === "number" ? item.index : undefined;
    const at = place === undefined ? -1 : after.findIndex((known) => isMembers(known) && known.index === place);
    const known = after[at];
    if (isMembers(item) && isMembers(known)) after[at] = grown(known, item);
    else after.push(isMembers(item) ? grown({}, item) : item);
  }
  return after;
}

function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A whole completion as the parts of a stream: who speaks, all that is said, and why it ended. `undefined` when it is none. */
export function split(completion: Readonly<Members>): readonly ChatPart[] | undefined {
  if (!isCompletion(completion)) return undefined;
  const { id: _id, object: _object, created: _created, model: _model, choices, usage, ...beside } = completion;
  const opened = choices.map(({ index, message }): PartChoice => {
    return quiet(index, { role: message.role ?? "assistant", content: message.content === null ? null : "" });
  });
  const said = choices.map(({ index, message, finish_reason: _reason, ...rest }): PartChoice => {
    return { ...quiet(index, deltaOf(message)), ...rest, index };
  });
  const ended = choices.map(({ index, finish_reason: reason }): PartChoice => {
    return { ...quiet(index, {}), finish_reason: reason };
  });
  const costs: ChatPartMembers[] = usage === undefined || usage === null ? [] : [{ choices: [], usage }];
  return [{ choices: opened, ...beside }, { choices: said }, { choices: ended }, ...costs];
}

function quiet(index: number, delta: PartChoice["delta"]): PartChoice {
  return { index, delta, logprobs: null, finish_reason: null };
}

function deltaOf({ role: _role, tool_calls: calls, ...message }: WholeChoice["message"]): PartChoice["delta"] {
  const said = Object.fromEntries(Object.entries(message).filter(([, value]) => value !== null));
  if (!Array.isArray(calls)) return said;
  return { ...said, tool_calls: calls.map((call, index) => (isMembers(call) ? { index, ...call } : call)) };
}

function isCompletion(value: Readonly<Members>): value is Completion {
  const { choices } = value;
  return Array.isArray(choices) && choices.length > 0 && choices.every(isWholeChoice);
}

function isWholeChoice(choice: unknown): boolean {
  return (
    isMembers(choice) && typeof choice.index === "number" && isMembers(choice.message) && "finish_reason" in choice
  );
}
