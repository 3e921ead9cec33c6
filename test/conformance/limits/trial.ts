import { type Answer, readAnswer, seen } from "../suite/answer.ts";
import { demand, NotOffered, Unanswered } from "../suite/judge.ts";
import type { AnswerTurn } from "../suite/mock-answer.ts";
import type { MockOrigin, OriginCall, Script } from "../suite/mock-origin.ts";
import { gate, soon } from "../suite/waiting.ts";
import type { Allowed, Issued, Profile } from "./profile.ts";

/** A gateway under test and what the suite may use of it. */
export interface Target {
  /** Without a trailing slash. */
  readonly url: string;
  readonly profile: Profile;
  readonly model: string;
  /** How long a minute of its limits of requests is. Default a minute: only what the suite itself is tried on has another. */
  readonly minuteMs?: number;
  issue(allowed: Allowed): Promise<Issued>;
  /** Ends it as an operator would and starts it again; absent where the suite cannot. */
  readonly restart?: () => Promise<void>;
}

export interface Ask {
  readonly key: string;
  /** The most tokens that the answer may have. */
  readonly maxTokens?: number;
  readonly stream?: boolean;
  readonly signal?: AbortSignal;
  /** The whole body as text. */
  readonly written?: string;
}

/** Questions to the origin that no other rule asks. */
export interface Case {
  readonly id: string;
  readonly calls: () => readonly OriginCall[];
}

/** Calls of one moment. */
export interface Burst {
  /** How many the origin was asked while all of them waited. */
  readonly admitted: number;
  readonly refused: readonly Answer[];
  /** From before the first was sent until what became of the last was known. */
  readonly tookMs: number;
  /** Lets the origin answer. Resolves with the answers of those that were admitted. */
  finish(): Promise<readonly Answer[]>;
}

/** How long a call may take. */
const callMs = 120_000;

/** How long rules wait for what should come. */
export interface Patience {
  /** Until what a call did not use is back: much less than limits take to fill again. */
  readonly settledMs: number;
  /** Until what was used is said. */
  readonly toldMs: number;
}

const patient: Patience = { settledMs: 8_000, toldMs: 60_000 };

/** What rules use: cases, calls, bursts. */
export class Trial {
  readonly target: Target;
  readonly origin: MockOrigin;
  readonly patience: Patience;
  readonly #run = Math.random().toString(36).slice(2, 8);
  #cases = 0;
  #asked = 0;
  #note: string | undefined;

  constructor(target: Target, origin: MockOrigin, patience = patient) {
    this.target = target;
    this.origin = origin;
    this.patience = patience;
  }

  get minuteMs(): number {
    return this.target.minuteMs ?? 60_000;
  }

  case(script?: Script): Case {
    const id = `case-${this.#run}-${++this.#cases}`;
    this.origin.script(id, script ?? (() => answerOf(5)));
    return { id, calls: () => this.origin.calls(id) };
  }

  /** A new key, of an owner of its own. */
  async issue(allowed: Allowed): Promise<Issued> {
    return await this.target.issue(allowed);
  }

  async open(of: Case, ask: Ask): Promise<Response> {
    const { url, profile, model } = this.target;
    // No two calls are equal, so that no cache answers them and none waits for another.
    const content = `Word ${++this.#asked} of ${of.id}`;
    const body = {
      model,
      messages: [{ role: "user", content }],
      ...(ask.maxTokens === undefined ? {} : { max_tokens: ask.maxTokens }),
      ...(ask.stream === true ? { stream: true } : {}),
    };
    const patience = AbortSignal.timeout(callMs);
    return await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        // A pooled connection may be closed by the target just as it is used again.
        Connection: "close",
        ...profile.dress({ key: ask.key, originUrl: this.origin.url }),
      },
      body: ask.written ?? JSON.stringify(body),
      signal: ask.signal === undefined ? patience : AbortSignal.any([ask.signal, patience]),
    });
  }

  async ask(of: Case, ask: Ask): Promise<Answer> {
    return await readAnswer(await this.open(of, ask));
  }

  /** A call that must be answered. */
  async succeed(of: Case, ask: Ask): Promise<Answer> {
    const answer = await this.ask(of, ask);
    if (answer.status === 200 && answer.complete) return answer;
    throw new Unanswered(`${seen(answer)} where an answer was due`);
  }

  /** So many calls at once, none of which the origin answers before what became of each is known. */
  async burst(count: number, ask: (index: number) => Ask, script?: (hold: Promise<void>) => Script): Promise<Burst> {
    const { opened, open } = gate();
    const one = this.case(script?.(opened) ?? (() => ({ ...answerOf(5), hold: opened })));
    const startMs = Date.now();
    const refused: Answer[] = [];
    const pending = Array.from({ length: count }, async (_, index) => {
      const answer = await this.ask(one, ask(index));
      if (answer.status !== 200) refused.push(answer);
      return answer;
    });
    const all = Promise.all(pending);
    // Told below, when all are awaited.
    all.catch(() => undefined);
    try {
      await this.eventually(
        "each call is refused or with the origin",
        () => one.calls().length + refused.length >= count,
        callMs,
      );
    } catch (error) {
      open();
      throw error;
    }
    const tookMs = Date.now() - startMs;
    for (const answer of refused) demandRefusal(answer);
    const finish = async () => {
      open();
      return (await all).filter((answer) => !refused.includes(answer));
    };
    return { admitted: one.calls().length, refused: [...refused], tookMs, finish };
  }

  /** Waits until it is so, looking again and again. Throws `Unanswered` with `what` when it takes too long. */
  async eventually(
    what: string,
    so: () => boolean | Promise<boolean>,
    withinMs = this.patience.settledMs,
  ): Promise<void> {
    const endMs = Date.now() + withinMs;
    while (!(await so())) {
      if (Date.now() > endMs) throw new Unanswered(`not within ${withinMs / 1000} s: ${what}`);
      await soon();
    }
  }

  /** What the report says beside a rule that passed. */
  note(text: string): void {
    this.#note = text;
  }

  takeNote(): string | undefined {
    const note = this.#note;
    this.#note = undefined;
    return note;
  }

  /** Starts the target again. `NotOffered` where the suite cannot. */
  async restart(): Promise<void> {
    if (this.target.restart === undefined) throw new NotOffered("the suite cannot restart the target");
    await this.target.restart();
  }
}

/** An answer of so many tokens, by the origin's own count. */
export function answerOf(tokens: number): AnswerTurn {
  return { kind: "answer", pieces: Array.from({ length: tokens - 1 }, (_, index) => ` word${index}`) };
}

/** What is refused is the caller's to wait for: 429, and no failure of the gateway's. */
export function demandRefusal(answer: Answer): void {
  demand(answer.status === 429 || answer.status === 402, `${seen(answer)} where 429 was due`);
}

/** Seconds; `Unanswered` when a refusal does not say. */
export function retryAfterS(answer: Answer): number {
  const said = answer.headers.get("Retry-After");
  if (said === null || !/^\d+$/.test(said)) throw new Unanswered(`a refusal says Retry-After '${said}'`);
  return Number(said);
}
