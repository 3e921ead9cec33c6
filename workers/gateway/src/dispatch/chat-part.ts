import type { ChatUsage } from "@ledge/contract";

/**
 * One event of a chat's stream, without what names the answer it belongs to (id, object, created, model): as it is kept, and as
 * equal calls share it. A string is short for the commonest one, a piece of text and nothing else (`plain`).
 */
export type ChatPart = string | ChatPartMembers;

/** Everything else the engine said, in its own words. */
export interface ChatPartMembers {
  readonly choices?: readonly PartChoice[];
  readonly usage?: ChatUsage;
  readonly [member: string]: unknown;
}

export interface PartChoice {
  readonly index: number;
  readonly delta: Readonly<Record<string, unknown>>;
  readonly logprobs?: unknown;
  readonly finish_reason?: string | null;
  readonly [member: string]: unknown;
}

/** What names an answer, and is another one each time it is given. */
export interface Stamp {
  readonly id: string;
  readonly model: string;
  /** Seconds since 1970. */
  readonly created: number;
}

/** The part in the payload of an engine's event; `undefined` for what is not JSON, or says that the engine failed. */
export function partOf(payload: string): ChatPart | undefined {
  const said = objectIn(payload);
  if (said === undefined || "error" in said) return undefined;
  const { id: _id, object: _object, created: _created, model: _model, usage, ...members } = said;
  const part: ChatPartMembers = isUsage(usage) ? { ...members, usage } : members;
  const text = textOf(part);
  return text !== undefined && JSON.stringify(part) === JSON.stringify({ choices: plain(text) }) ? text : part;
}

/** What a part says in full. */
export function membersOf(part: ChatPart): ChatPartMembers {
  return typeof part === "string" ? { choices: plain(part) } : part;
}

/** The part as the payload of an event; "" when it says only what the calls cost, and the caller has not asked. */
export function payloadOf(part: ChatPart, { id, created, model }: Stamp, includeUsage: boolean): string {
  const { usage, ...members } = membersOf(part);
  if (usage !== undefined && !includeUsage && (members.choices ?? []).length === 0) return "";
  const costs = includeUsage ? { usage: usage ?? null } : {};
  return JSON.stringify({ id, object: "chat.completion.chunk", created, model, ...members, ...costs });
}

/** As an engine streams a piece of text. */
function plain(content: string): readonly PartChoice[] {
  return [{ index: 0, delta: { content }, logprobs: null, finish_reason: null }];
}

function textOf({ choices }: ChatPartMembers): string | undefined {
  const content = Array.isArray(choices) ? choices[0]?.delta?.content : undefined;
  return typeof content === "string" ? content : undefined;
}

function isUsage(usage: unknown): usage is ChatUsage {
  return typeof usage === "object" && usage !== null;
}

/** The JSON object in a text; `undefined` when there is none. */
export function objectIn(json: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
