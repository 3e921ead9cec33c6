/** What a caller of the gateway got, in whatever form it came. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The body as it came. */
  readonly raw: string;
  /** The first choice's text, joined. */
  readonly text: string;
  /** The pieces of the first choice's text that are not empty; a whole answer is one piece. */
  readonly pieces: readonly string[];
  readonly tools: readonly Tool[];
  /** How many choices there are. */
  readonly choices: number;
  readonly finish: string | undefined;
  readonly usage: Usage | undefined;
  /** Whole: the body came to its end. A stream: it said `[DONE]`. */
  readonly complete: boolean;
}

export interface Tool {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
}

interface Message {
  readonly content?: string | null;
  readonly tool_calls?: readonly ToolPart[];
}

interface ToolPart {
  readonly index?: number;
  readonly id?: string;
  readonly function?: { readonly name?: string; readonly arguments?: string };
}

interface Payload {
  readonly choices?: readonly {
    readonly index?: number;
    readonly message?: Message;
    readonly delta?: Message;
    readonly finish_reason?: string | null;
  }[];
  readonly usage?: Usage | null;
}

/** Reads a response to its end. A body that breaks off is an answer that is not complete. */
export async function readAnswer(response: Response): Promise<Answer> {
  const { status, headers } = response;
  const { raw, ended } = await readAll(response);
  const stream = headers.get("Content-Type")?.includes("text/event-stream") === true;
  const events = stream ? eventsIn(raw) : [];
  const payloads = stream ? events.flatMap(payloadOf) : payloadOf(raw);
  const complete = ended && (stream ? events.includes("[DONE]") : payloads.length === 1);
  return { status, headers, raw, complete, ...contentOf(payloads) };
}

async function readAll(response: Response): Promise<{ raw: string; ended: boolean }> {
  const decoder = new TextDecoder();
  let raw = "";
  try {
    for await (const bytes of response.body ?? []) raw += decoder.decode(bytes, { stream: true });
    return { raw: raw + decoder.decode(), ended: true };
  } catch {
    return { raw, ended: false };
  }
}

function eventsIn(raw: string): readonly string[] {
  return raw
    .split(/\r?\n/)
    .filter((line) => line.startsWith("data:"))
    .map((line) => line.slice(5).trim());
}

function payloadOf(text: string): Payload[] {
  try {
    return [JSON.parse(text)];
  } catch {
    return [];
  }
}

function contentOf(payloads: readonly Payload[]) {
  const pieces: string[] = [];
  const tools: { id: string; name: string; arguments: string }[] = [];
  const indexes = new Set<number>();
  let finish: string | undefined;
  let usage: Usage | undefined;
  for (const { choices = [], usage: said } of payloads) {
    usage = said ?? usage;
    for (const { index = 0, message, delta, finish_reason } of choices) {
      indexes.add(index);
      if (index !== 0) continue;
      finish = finish_reason ?? finish;
      const content = message?.content ?? delta?.content ?? "";
      if (content !== "") pieces.push(content);
      for (const [at, part] of (message?.tool_calls ?? delta?.tool_calls ?? []).entries()) addTool(tools, part, at);
    }
  }
  return { text: pieces.join(""), pieces, tools, choices: indexes.size, finish, usage };
}

function addTool(tools: { id: string; name: string; arguments: string }[], part: ToolPart, at: number): void {
  const index = part.index ?? at;
  const tool = tools[index] ?? { id: "", name: "", arguments: "" };
  tools[index] = tool;
  tool.id += part.id ?? "";
  tool.name += part.function?.name ?? "";
  tool.arguments += part.function?.arguments ?? "";
}

/** `Cache-Status` (RFC 9211) of the first cache in the list: its parameters; a bare one is "true". */
export function cacheStatusOf({ headers }: Pick<Answer, "headers">): Readonly<Record<string, string>> | undefined {
  const header = headers.get("Cache-Status");
  if (header === null) return undefined;
  const [, ...parameters] = header.match(/(?:"(?:\\.|[^"\\])*"|[^;])+/g) ?? [];
  return Object.fromEntries(
    parameters.map((parameter) => {
      const [, name = "", value = "true"] = /^\s*([a-z-]+)(?:=(.*?))?\s*$/.exec(parameter) ?? [];
      return [name, value.replace(/^"(.*)"$/, "$1")];
    }),
  );
}

/** An answer in a few words. */
export function seen({ status, text, raw, complete }: Answer): string {
  const said = (text === "" ? raw : text).slice(0, 120);
  return `status ${status}${complete ? "" : ", cut"} '${said}'`;
}
