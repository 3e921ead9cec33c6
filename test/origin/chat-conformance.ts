import type { ChatRequest } from "@ledge/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { attemptChat } from "../../origin/src/engines/chat-attempt.ts";
import type { ChatEvent, ChatRun, Engine } from "../../origin/src/engines/engine.ts";
import { eventsSaid } from "./origin-process.ts";

/** What a server behind an engine leaves out. What is left out is not tested, and stands in docs/origin.md. */
export interface ChatLacks {
  /** It ignores `stop`. */
  readonly stop?: true;
  /** It refuses too little by itself: what it cannot honour it ignores, or a prompt without end breaks it. */
  readonly refusals?: true;
  /** It leaves out nothing of these: it honours `n` and `logprobs`, and so does not refuse them. */
  readonly choices?: true;
}

/**
 * What every engine that chats must do, whatever it is made of. The engine must be able to write 40 tokens or more. `make` may take
 * as long as a server takes to start.
 */
export function chatConformance(name: string, make: () => Promise<Engine>, lacks: ChatLacks = {}): void {
  describe(`chat engine ${name}`, () => {
    let engine: Engine;
    beforeAll(async () => {
      engine = await make();
    }, 300_000);
    afterAll(() => engine?.close());

    const ask = (more: Partial<ChatRequest> = {}): ChatRequest => ({
      model: engine.model.name,
      messages: [{ role: "user", content: "Tell me of the king." }],
      temperature: 0,
      max_tokens: 40,
      stream: true,
      ...more,
    });
    const prepare = async (more: Partial<ChatRequest> = {}): Promise<ChatRun> => {
      const run = await engine.chat?.(ask(more));
      if (run === undefined || !run.ok) throw new Error(`refused: ${JSON.stringify(run)}`);
      return run.value.run;
    };
    /** Some engines know beforehand what they refuse; a server says it when it is asked. */
    const refused = async (more: Partial<ChatRequest>): Promise<string | undefined> => {
      const run = await engine.chat?.(ask(more));
      if (run === undefined) return undefined;
      const [first] = run.ok ? await eventsSaid(run.value.run) : [{ kind: "fault" as const, fault: run.fault }];
      return first?.kind === "fault" ? first.fault.code : undefined;
    };
    const answer = async (more: Partial<ChatRequest> = {}) => outcome(await eventsSaid(await prepare(more)));

    test("ends with exactly one end, after all text", async () => {
      const kinds = (await eventsSaid(await prepare())).map((event) => event.kind);
      expect(kinds.pop()).toBe("end");
      expect(kinds.length).toBeGreaterThan(0);
      expect(new Set(kinds).size).toBe(1);
    });

    test("a whole answer says what a stream says, at the same cost", async () => {
      const [whole, stream] = [await answer({ stream: false }), await answer()];
      expect(whole.text).toBe(stream.text);
      expect(whole.end).toEqual(stream.end);
    });

    test("temperature 0 gives the same text every time", async () => {
      const { text } = await answer();
      expect(text).not.toBe("");
      for (let again = 0; again < 3; again++) expect((await answer()).text).toBe(text);
    });

    test("running beside another changes neither", async () => {
      const alone = [await answer(), await answer({ max_tokens: 13 })];
      expect(await Promise.all([answer(), answer({ max_tokens: 13 })])).toEqual(alone);
    });

    test("one prepared run can be run again", async () => {
      const run = await prepare();
      expect(outcome(await eventsSaid(run))).toEqual(outcome(await eventsSaid(run)));
    });

    test("writes no more tokens than allowed, and says length", async () => {
      const { end } = await answer({ max_tokens: 3 });
      expect(end).toMatchObject({ finishReason: "length", completionTokens: 3 });
      expect((await answer({ max_completion_tokens: 2, max_tokens: 9 })).end?.completionTokens).toBe(2);
    });

    test("a shorter answer is the beginning of a longer one, and costs less", async () => {
      const [short, long] = [await answer({ max_tokens: 5 }), await answer()];
      expect(long.text.startsWith(short.text)).toBe(true);
      expect(short.end?.promptTokens).toBe(long.end?.promptTokens);
    });

    test.skipIf(lacks.stop)("a stop string is not emitted and ends the answer, wherever tokens are cut", async () => {
      const { text } = await answer();
      for (const at of [1, Math.floor(text.length / 2)]) {
        const stop = text.slice(at, at + 4);
        const stopped = await answer({ stop: [stop] });
        expect(stopped.text).toBe(text.slice(0, text.indexOf(stop)));
        expect(stopped.end?.finishReason).toBe("stop");
      }
    });

    test("a cancelled generation ends without an end and frees the engine", async () => {
      const caller = new AbortController();
      const events: ChatEvent[] = [];
      await (await prepare({ max_tokens: 200 }))(caller.signal, (event) => {
        events.push(event);
        caller.abort("disconnected");
      });
      expect(events.map(isText)).toEqual([true]);
      expect((await answer({ max_tokens: 1 })).end?.completionTokens).toBe(1);
    });

    test("a caller who leaves before the first text ends the generation", async () => {
      const caller = new AbortController();
      const events: ChatEvent[] = [];
      const run = (await prepare({ max_tokens: 200 }))(caller.signal, (event) => events.push(event));
      caller.abort("disconnected");
      await run;
      expect(events).toEqual([]);
      expect((await answer({ max_tokens: 1 })).end?.completionTokens).toBe(1);
    });

    test("a signal that has fired before the start generates nothing", async () => {
      expect(await eventsSaid(await prepare(), AbortSignal.abort("deadline"))).toEqual([]);
    });

    test("a deadline in the middle becomes one fault, and the slot is given back once", async () => {
      const caller = new AbortController();
      let released = 0;
      const events: ChatEvent[] = [];
      const run = await prepare({ max_tokens: 200 });
      const release = () => void released++;
      await attemptChat(run, caller.signal, release, (event) => {
        events.push(event);
        caller.abort("deadline");
      });
      expect(events.at(-1)).toEqual({ kind: "fault", fault: { code: "deadline_exceeded" } });
      expect([events.filter((event) => !isText(event)).length, released]).toEqual([1, 1]);
    });

    test.skipIf(lacks.refusals || lacks.choices)("what it cannot honour is refused, never ignored", async () => {
      expect(await refused({ n: 2 })).toBe("unsupported_parameter");
      expect(await refused({ logprobs: true })).toBe("unsupported_parameter");
    });

    test.skipIf(lacks.refusals)("what does not fit into its context is refused as such", async () => {
      expect(await refused({ max_tokens: 1_000_000 })).toBe("context_length_exceeded");
      expect(await refused({ messages: [{ role: "user", content: "long ".repeat(100_000) }] })).toBe(
        "context_length_exceeded",
      );
    });
  });
}

function isText(event: ChatEvent): boolean {
  return event.kind === "text" || event.kind === "said";
}

function outcome(events: readonly ChatEvent[]) {
  const end = events.find((event) => event.kind === "end");
  const fault = events.find((event) => event.kind === "fault");
  if (fault !== undefined) throw new Error(`failed: ${JSON.stringify(fault)}`);
  return { text: events.map(textOf).join(""), end };
}

/** Of a chunk or of a whole answer. */
function textOf(event: ChatEvent): string {
  if (event.kind === "text") return event.text;
  if (event.kind !== "said") return "";
  const [choice] = event.body.choices as readonly { readonly delta?: Said; readonly message?: Said }[];
  return choice?.delta?.content ?? choice?.message?.content ?? "";
}

interface Said {
  readonly content?: string | null;
}
