import type { ChatRequest } from "@ledge/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { attemptChat } from "../../origin/src/engines/chat-attempt.ts";
import type { ChatEvent, ChatRun, Engine } from "../../origin/src/engines/engine.ts";
import { collect } from "./origin-process.ts";

const never = new AbortController().signal;

/** What every engine that chats must do, whatever it is made of. The engine must be able to write 40 tokens or more. */
export function chatConformance(name: string, make: () => Promise<Engine>): void {
  describe(`chat engine ${name}`, () => {
    let engine: Engine;
    beforeAll(async () => {
      engine = await make();
    });
    afterAll(() => engine.close());

    const ask = (more: Partial<ChatRequest> = {}): ChatRequest => ({
      model: engine.model.name,
      messages: [{ role: "user", content: "Tell me of the king." }],
      temperature: 0,
      max_tokens: 40,
      ...more,
    });
    const prepare = (more: Partial<ChatRequest> = {}): ChatRun => {
      const run = engine.chat?.(ask(more));
      if (run === undefined || !run.ok) throw new Error(`refused: ${JSON.stringify(run)}`);
      return run.value.run;
    };
    const refused = (more: Partial<ChatRequest>): string | undefined => {
      const run = engine.chat?.(ask(more));
      return run === undefined || run.ok ? undefined : run.fault.code;
    };
    const answer = async (more: Partial<ChatRequest> = {}) => outcome(await collect(prepare(more)(never)));

    test("ends with exactly one end, after all text", async () => {
      const kinds = (await collect(prepare()(never))).map((event) => event.kind);
      expect(kinds.pop()).toBe("end");
      expect(new Set(kinds)).toEqual(new Set(["text"]));
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
      const run = prepare();
      expect(outcome(await collect(run(never)))).toEqual(outcome(await collect(run(never))));
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

    test("a stop string is not emitted and ends the answer, wherever tokens are cut", async () => {
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
      for await (const event of prepare({ max_tokens: 200 })(caller.signal)) {
        events.push(event);
        caller.abort("disconnected");
      }
      expect(events.map((event) => event.kind)).toEqual(["text"]);
      expect((await answer({ max_tokens: 1 })).end?.completionTokens).toBe(1);
    });

    test("a reader who leaves early ends the generation", async () => {
      for await (const event of prepare({ max_tokens: 200 })(never)) {
        expect(event.kind).toBe("text");
        break;
      }
      expect((await answer({ max_tokens: 1 })).end?.completionTokens).toBe(1);
    });

    test("a signal that has fired before the start generates nothing", async () => {
      expect(await collect(prepare()(AbortSignal.abort("deadline")))).toEqual([]);
    });

    test("a deadline in the middle becomes one fault, and the slot is given back once", async () => {
      const caller = new AbortController();
      let released = 0;
      const events: ChatEvent[] = [];
      for await (const event of attemptChat(prepare({ max_tokens: 200 }), caller.signal, () => released++)) {
        events.push(event);
        caller.abort("deadline");
      }
      expect(events.at(-1)).toEqual({ kind: "fault", fault: { code: "deadline_exceeded" } });
      expect([events.filter((event) => event.kind !== "text").length, released]).toEqual([1, 1]);
    });

    test("what it cannot honour is refused, never ignored", () => {
      expect(refused({ n: 2 })).toBe("unsupported_parameter");
      expect(refused({ logprobs: true })).toBe("unsupported_parameter");
      expect(refused({ max_tokens: 1_000_000 })).toBe("context_length_exceeded");
      expect(refused({ messages: [{ role: "user", content: "long ".repeat(100_000) }] })).toBe(
        "context_length_exceeded",
      );
    });
  });
}

function outcome(events: readonly ChatEvent[]) {
  const text = events.map((event) => (event.kind === "text" ? event.text : "")).join("");
  return { text, end: events.find((event) => event.kind === "end") };
}
