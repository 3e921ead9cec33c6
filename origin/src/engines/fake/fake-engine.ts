import { type ChatRequest, fail, ok, type Result } from "@ledge/contract";
import { type ChatParameters, chatParametersOf } from "../chat-parameters.ts";
import type { Engine, EngineModel, PreparedChat, Say } from "../engine.ts";
import { outputBudget } from "../output-budget.ts";
import { Sleeper } from "../sleeper.ts";
import { StopMatcher } from "../stop-matcher.ts";
import type { FakeScript } from "./fake-script.ts";

/** An engine that plays a script: the memory adapter of the port, and what load and failure are rehearsed with. */
export class FakeEngine implements Engine {
  readonly model: EngineModel;
  readonly wake?: NonNullable<Engine["wake"]>;
  readonly #script: FakeScript;
  readonly #sleeper: Sleeper | undefined;

  constructor(script: FakeScript) {
    this.#script = script;
    this.model = { name: script.name, version: script.version, task: "chat" };
    const sleeper = sleeperOf(script);
    this.#sleeper = sleeper;
    if (sleeper !== undefined) this.wake = () => sleeper.wake();
  }

  async chat(request: ChatRequest): Promise<Result<PreparedChat>> {
    const asleep = this.#sleeper?.refusal();
    if (asleep !== undefined) return { ok: false, fault: asleep };
    const parameters = chatParametersOf(request);
    if (!parameters.ok) return parameters;
    const { temperature, seed, messages, tokensMax, said } = parameters.value;
    if (seed !== undefined && temperature > 0)
      return fail("unsupported_parameter", { detail: "Not honoured: 'seed'." });
    const promptTokens = messages.reduce((sum, message) => sum + message.content.split(/\s+/).length, 0);
    const budget = outputBudget({ promptTokens, contextTokens: this.#script.contextTokens, asked: tokensMax });
    if (!budget.ok) return budget;
    const from = tokensIn(said, this.#script);
    if (from === undefined) {
      const issue = { path: "stream_options.resume.text", message: "The script says something else." };
      return fail("invalid_request", { issues: [issue] });
    }
    const read = { promptTokens: promptTokens + from, from };
    return ok({
      promptTokens: read.promptTokens,
      run: (signal, say) => play(this.#script, parameters.value, { ...read, tokensMax: budget.value }, signal, say),
    });
  }

  async close(): Promise<void> {}
}

function sleeperOf({ wakeMs, wakesInVain = 0 }: FakeScript): Sleeper | undefined {
  if (wakeMs === undefined) return undefined;
  let wakes = 0;
  const rouse = async () => {
    await pause(wakeMs, new AbortController().signal);
    return ++wakes > wakesInVain;
  };
  return new Sleeper({ rouse, usualMs: wakeMs, asleep: true, nowMs: () => performance.now() });
}

/** How many of the script's tokens a text is; `undefined` when it is none. */
function tokensIn(said: string, { tokens, endless }: FakeScript): number | undefined {
  let [text, count] = ["", 0];
  while (text.length < said.length && (endless || count < tokens.length)) text += tokens[count++ % tokens.length];
  return text === said ? count : undefined;
}

/** Says the script's tokens from number `from` on. */
async function play(
  script: FakeScript,
  parameters: ChatParameters,
  {
    promptTokens,
    from,
    tokensMax,
  }: { readonly promptTokens: number; readonly from: number; readonly tokensMax: number },
  signal: AbortSignal,
  say: Say,
): Promise<void> {
  const stops = new StopMatcher(parameters.stops);
  for (let count = from; ; count++) {
    const token = script.tokens[script.endless ? count % script.tokens.length : count];
    const ended = token === undefined || stops.matched;
    if (ended || count >= tokensMax) {
      const rest = stops.flush();
      if (rest !== "") say({ kind: "text", text: rest });
      const finishReason = ended ? "stop" : "length";
      return say({ kind: "end", finishReason, promptTokens, completionTokens: count - from });
    }
    if (count === script.failAfter) {
      return say({ kind: "fault", fault: { code: "upstream_failed", cause: "the script says so" } });
    }
    await pause(count === from ? script.firstMs : script.tokenMs, signal);
    if (signal.aborted) return;
    const text = stops.push(token);
    if (text !== "") say({ kind: "text", text });
  }
}

/** Resolves after the time or at the signal, whichever is first. Zero still lets other work in. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", wake);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    signal.addEventListener("abort", wake, { once: true });
  });
}
