import { type ErrorCode, fail, ok, type Result } from "@ledge/contract";
import type { ChatStream, ChatText } from "../../../workers/gateway/src/dispatch/ports.ts";
import type { Asked } from "./asked.ts";
import type { Dice } from "./dice.ts";
import type { VirtualTime } from "./time.ts";

export interface OriginMood {
  readonly name: string;
  readonly msMax: number;
  /** What becomes of a call, by weight. */
  readonly fates: Readonly<Record<Fate, number>>;
}

/** `refuses`: a filter cuts the answer. `breaks`, `cuts`, `says`: it ends after half a stream, with an error, silently, or in words. */
export type Fate = "answers" | "fails" | "refuses" | "hangs" | "breaks" | "cuts" | "says";

const answersOnly = { answers: 1, fails: 0, refuses: 0, hangs: 0, breaks: 0, cuts: 0, says: 0 };

export const originWell: OriginMood = { name: "well", msMax: 300, fates: answersOnly };
export const originMoods: readonly OriginMood[] = [
  originWell,
  { name: "slow", msMax: 4_000, fates: { ...answersOnly, answers: 20, refuses: 1 } },
  { name: "failing", msMax: 300, fates: { ...answersOnly, fails: 3, breaks: 1 } },
  { name: "down", msMax: 50, fates: { ...answersOnly, answers: 0, fails: 1 } },
  { name: "breaking", msMax: 500, fates: { ...answersOnly, breaks: 1, cuts: 1, says: 1, refuses: 1 } },
  { name: "hanging", msMax: 300, fates: { ...answersOnly, answers: 2, hangs: 1 } },
];

/** One piece of work of the origin: what it gave is known by its number. */
export interface OriginWork {
  readonly serial: number;
  readonly asked: Asked;
  readonly startedMs: number;
  fate: Fate | "refused-input";
  /** When all of it was there, or when it failed; absent while it works. */
  endedMs?: number;
  /** Nobody waited any more, or its isolate is gone. */
  stopped?: true;
}

export interface Journey {
  readonly requestId: string;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

/** What every answer says: who asked what, and which work gave it. */
export interface Said {
  readonly about: string;
  readonly serial: number;
}

const failures = ["upstream_failed", "origin_unavailable", "overloaded"] as const;
const tooLong = "too long";
const encoder = new TextEncoder();

/** An origin whose answers tell where they come from. Equal calls are told the same, but for the number at the end. */
export class SimulatedOrigin {
  readonly works: OriginWork[] = [];
  mood = originWell;
  onStart: (work: OriginWork) => void = () => undefined;
  readonly #time: VirtualTime;
  readonly #dice: Dice;
  readonly #askedBy: (requestId: string) => Asked;

  constructor(time: VirtualTime, dice: Dice, askedBy: (requestId: string) => Asked) {
    this.#time = time;
    this.#dice = dice;
    this.#askedBy = askedBy;
  }

  /** A whole chat completion. */
  async complete(_body: object, journey: Journey): Promise<Result<ChatText>> {
    const work = this.#begin(journey);
    const fault = await this.#wait(work, journey);
    if (fault !== undefined) return fail(fault);
    const content = textOf(work).join("");
    const message = { role: "assistant", content, refusal: null };
    const reason = work.fate === "refuses" ? "content_filter" : "stop";
    const choices = [{ index: 0, message, logprobs: null, finish_reason: reason }];
    const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
    const text = JSON.stringify({ id: "c", object: "chat.completion", created: 1, model: "m", choices, usage });
    return ok({ text, runMs: undefined });
  }

  /** What a model's own steps give. */
  async predict(journey: Journey): Promise<Result<Said>> {
    const work = this.#begin(journey);
    const fault = await this.#wait(work, journey);
    return fault === undefined ? ok({ about: work.asked.about, serial: work.serial }) : fail(fault);
  }

  async stream(_body: object, journey: Journey): Promise<Result<ChatStream>> {
    const work = this.#begin(journey);
    if (work.fate === "hangs" || work.fate === "fails" || work.fate === "refused-input") {
      return fail((await this.#wait(work, journey)) ?? "upstream_failed");
    }
    await this.#time.sleep(this.#dice.between(1, 20) * 5);
    await this.#aliveOnly(work);
    return ok({ body: this.#events(work, journey.signal), promptTokens: undefined, broke: async () => undefined });
  }

  #begin({ requestId }: Journey): OriginWork {
    const asked = this.#askedBy(requestId);
    const drawn = this.#dice.weighted(this.mood.fates);
    // Only what is said can be cut by a filter.
    const could = drawn === "refuses" && asked.form === "labels" ? "answers" : drawn;
    const fate = asked.question.input === tooLong ? "refused-input" : could;
    const work: OriginWork = { serial: this.works.length, asked, startedMs: this.#time.nowMs, fate };
    this.works.push(work);
    this.onStart(work);
    return work;
  }

  /** Until it is done; how it failed. */
  async #wait(work: OriginWork, { deadlineMs, signal }: Journey): Promise<ErrorCode | undefined> {
    const time = this.#time;
    const stopped = new Promise<"stopped">((resolve) => signal.addEventListener("abort", () => resolve("stopped")));
    const late = time.sleep(deadlineMs - time.nowMs).then(() => "late" as const);
    const done =
      work.fate === "hangs"
        ? new Promise<never>(() => undefined)
        : time.sleep(this.#dice.between(1, this.mood.msMax / 5) * 5);
    const how = await Promise.race([done, late, signal.aborted ? ("stopped" as const) : stopped]);
    await this.#aliveOnly(work);
    work.endedMs = time.nowMs;
    if (how === "stopped") {
      work.stopped = true;
      work.fate = "fails";
      return "origin_unavailable";
    }
    if (how === "late") {
      work.fate = "fails";
      return "deadline_exceeded";
    }
    if (work.fate === "refused-input") return "context_length_exceeded";
    return work.fate === "answers" || work.fate === "refuses" ? undefined : this.#dice.pick(failures);
  }

  /** Nobody of an isolate that is gone hears anything. */
  async #aliveOnly(work: OriginWork): Promise<void> {
    if (!work.asked.isolate.dead) return;
    work.stopped = true;
    await new Promise(() => undefined);
  }

  #events(work: OriginWork, signal: AbortSignal): ReadableStream<Uint8Array> {
    const { fate } = work;
    const texts = textOf(work);
    const delta = (content: string) => event({ choices: [{ index: 0, delta: { content }, finish_reason: null }] });
    const reason = fate === "refuses" ? "content_filter" : "stop";
    const last = [event({ choices: [{ index: 0, delta: {}, finish_reason: reason }] }), "data: [DONE]\n\n"];
    const events = [...texts.map(delta), last.join("")];
    const half = fate === "breaks" || fate === "cuts" || fate === "says" ? this.#dice.between(0, 3) : events.length;
    let at = 0;
    return new ReadableStream(
      {
        pull: async (controller) => {
          await this.#time.sleep(this.#dice.between(1, 10) * 5);
          await this.#aliveOnly(work);
          if (work.stopped) return;
          const next = events[at++];
          if (signal.aborted) return this.#stop(work, controller);
          if (next !== undefined && at <= half) return controller.enqueue(encoder.encode(next));
          work.endedMs ??= this.#time.nowMs;
          if (fate === "breaks") return controller.error(new Error("the engine died"));
          if (fate === "says") controller.enqueue(encoder.encode('data: {"error":{"code":"upstream_failed"}}\n\n'));
          controller.close();
        },
        cancel: () => this.#stop(work),
      },
      { highWaterMark: 0 },
    );
  }

  #stop(work: OriginWork, controller?: ReadableStreamDefaultController): void {
    work.stopped ??= true;
    work.endedMs ??= this.#time.nowMs;
    controller?.error(new Error("stopped"));
  }
}

/** The answer, in pieces; only the last one differs from work to work. */
function textOf({ asked: { about }, serial }: OriginWork): readonly string[] {
  const third = Math.ceil(about.length / 3);
  return [about.slice(0, third), about.slice(third, 2 * third), about.slice(2 * third), `#${serial}`];
}

/** What an answer's text says of itself; `undefined` when it is not whole. */
export function saidBy(text: string): Said | undefined {
  const found = /^(.*)#([0-9]+)$/s.exec(text);
  return found === null ? undefined : { about: found[1] ?? "", serial: Number(found[2]) };
}

function event(members: object): string {
  return `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "m", ...members })}\n\n`;
}
