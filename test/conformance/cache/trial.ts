import { type Answer, readAnswer, seen } from "../suite/answer.ts";
import { NotOffered, Unanswered } from "../suite/judge.ts";
import { caseIdIn, type MockOrigin, type OriginCall, type Script } from "../suite/mock-origin.ts";
import { soon } from "../suite/waiting.ts";
import type { Operator, Profile, Wish } from "./profile.ts";

/** A gateway under test and what the suite may use of it. */
export interface Target {
  /** Without a trailing slash. */
  readonly url: string;
  readonly profile: Profile;
  /** Keys of two tenants. */
  readonly keys: Readonly<Record<Caller, string>>;
  /** What the target calls those tenants. */
  readonly tenants: Readonly<Record<Caller, string>>;
  readonly model: string;
  /** Another model over the same upstream. */
  readonly otherModel: string;
  readonly operator?: Operator;
}

export type Caller = "a" | "b";

export interface Ask {
  readonly caller?: Caller;
  readonly model?: string;
  /** In place of one user message with the case's prompt. */
  readonly messages?: readonly object[];
  /** More members of the body; `undefined` takes one out. */
  readonly body?: Readonly<Record<string, unknown>>;
  /** The whole body as text, when how it is written matters. */
  readonly written?: string;
  readonly stream?: boolean;
  readonly wish?: Wish;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** One question to the origin that no other rule asks. */
export interface Case {
  readonly id: string;
  readonly prompt: string;
  calls(): readonly OriginCall[];
}

/** How long the suite waits before it says that something did not come, milliseconds. Slow machines included. */
export interface Patience {
  /** For a call to be over: longer than any deadline that a target has by default. */
  readonly callMs: number;
  /** For an answer that was given to be kept. */
  readonly keptMs: number;
  /** For the first call after a purge that asks the origin. */
  readonly purgedMs: number;
  /** For anything else. */
  readonly otherMs: number;
}

const patient: Patience = { callMs: 120_000, keptMs: 3_000, purgedMs: 6_000, otherMs: 15_000 };

/** What rules use: cases, calls, and waiting for what must come. */
export class Trial {
  readonly target: Target;
  readonly origin: MockOrigin;
  readonly patience: Patience;
  readonly #run = Math.random().toString(36).slice(2, 8);
  #cases = 0;
  #note: string | undefined;

  constructor(target: Target, origin: MockOrigin, patience: Patience = patient) {
    this.target = target;
    this.origin = origin;
    this.patience = patience;
  }

  /** A new case; without a script every call of it gets its own text. */
  case(script?: Script): Case {
    const id = `case-${this.#run}-${++this.#cases}`;
    if (script !== undefined) this.origin.script(id, script);
    return { id, prompt: `What is to be said of ${id}?`, calls: () => this.origin.calls(id) };
  }

  /** A call's response as it comes. Throws `NotOffered` for what the target cannot be asked for. */
  async open(of: Case, ask: Ask = {}): Promise<Response> {
    const { url, profile, keys } = this.target;
    const { caller = "a", wish = {}, signal } = ask;
    const dress = profile.dress({ key: keys[caller], originUrl: this.origin.url, wish });
    // `fetch` adds `Cache-Control: no-cache` to a call with If-None-Match unless it has a Cache-Control of its own.
    const validating = wish.ifNoneMatch === undefined ? {} : { "Cache-Control": "max-age=86400" };
    const patience = AbortSignal.timeout(this.patience.callMs);
    return await fetch(url + (profile.path ?? "/v1/chat/completions"), {
      method: "POST",
      // One connection a call: a pooled one may be closed by the target just as it is used again.
      headers: {
        "Content-Type": "application/json",
        Connection: "close",
        ...validating,
        ...dress.headers,
        ...ask.headers,
      },
      body: ask.written ?? JSON.stringify({ ...this.bodyOf(of, ask), ...dress.body }),
      signal: signal === undefined ? patience : AbortSignal.any([signal, patience]),
    });
  }

  /** A call, read to its end. */
  async ask(of: Case, ask: Ask = {}): Promise<Answer> {
    return await readAnswer(await this.open(of, ask));
  }

  /** Temperature 0, so that any cache may keep the answer. */
  bodyOf(of: Case, { model, messages, body, stream }: Ask): Record<string, unknown> {
    return {
      model: model ?? this.target.model,
      messages: messages ?? [{ role: "user", content: of.prompt }],
      temperature: 0,
      ...(stream === true ? { stream: true } : {}),
      ...body,
    };
  }

  /** A call that must succeed. */
  async succeed(of: Case, ask: Ask = {}): Promise<Answer> {
    const answer = await this.ask(of, ask);
    if (answer.status === 200 && answer.complete) return answer;
    throw new Unanswered(`${seen(answer)} where an answer was due`);
  }

  /** Asks until an equal call is answered without the origin: the answer kept. `NotOffered` when none ever is. */
  async keep(of: Case, ask: Ask = {}): Promise<Answer> {
    const endMs = Date.now() + this.patience.keptMs;
    await this.succeed(of, ask);
    do {
      const before = of.calls().length;
      const again = await this.succeed(of, ask);
      if (of.calls().length === before) return again;
      await soon();
    } while (Date.now() < endMs);
    throw new NotOffered("an equal call asks the origin again");
  }

  /** Whether a call is answered without the origin. */
  async hits(of: Case, ask: Ask = {}): Promise<boolean> {
    const before = of.calls().length;
    await this.succeed(of, ask);
    return of.calls().length === before;
  }

  /** Waits until it is so, looking again and again. Throws `Unanswered` with `what` when it takes too long. */
  async eventually(
    what: string,
    so: () => boolean | Promise<boolean>,
    withinMs: number = this.patience.otherMs,
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

  /** The latest note, once. */
  takeNote(): string | undefined {
    const note = this.#note;
    this.#note = undefined;
    return note;
  }

  operator(): Operator {
    if (this.target.operator === undefined) throw new NotOffered("there is no operator's API to ask");
    return this.target.operator;
  }
}

/** Whether an answer's text is one that the origin gave to this case. */
export function isFor(of: Case, answer: Answer): boolean {
  return answer.status === 200 && caseIdIn(answer.text) === of.id;
}
