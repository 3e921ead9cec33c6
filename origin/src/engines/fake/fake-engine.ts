import { type ChatRequest, fail, ok, type Result } from "@ledge/contract";
import { type ChatParameters, chatParametersOf } from "../chat-parameters.ts";
import type { ChatEvent, Engine, EngineModel, PreparedChat } from "../engine.ts";
import { outputBudget } from "../output-budget.ts";
import { StopMatcher } from "../stop-matcher.ts";
import type { FakeScript } from "./fake-script.ts";

/** An engine that plays a script: the memory adapter of the port, and what load and failure are rehearsed with. */
export class FakeEngine implements Engine {
  readonly model: EngineModel;
  readonly #script: FakeScript;

  constructor(script: FakeScript) {
    this.#script = script;
    this.model = { name: script.name, version: script.version, task: "chat" };
  }

  async chat(request: ChatRequest): Promise<Result<PreparedChat>> {
    const parameters = chatParametersOf(request);
    if (!parameters.ok) return parameters;
    const { temperature, seed, messages, tokensMax } = parameters.value;
    if (seed !== undefined && temperature > 0)
      return fail("unsupported_parameter", { detail: "Not honoured: 'seed'." });
    const promptTokens = messages.reduce((sum, message) => sum + message.content.split(/\s+/).length, 0);
    const budget = outputBudget({ promptTokens, contextTokens: this.#script.contextTokens, asked: tokensMax });
    if (!budget.ok) return budget;
    return ok({
      promptTokens,
      run: (signal) => play(this.#script, parameters.value, promptTokens, budget.value, signal),
    });
  }

  async close(): Promise<void> {}
}

async function* play(
  script: FakeScript,
  parameters: ChatParameters,
  promptTokens: number,
  tokensMax: number,
  signal: AbortSignal,
): AsyncGenerator<ChatEvent> {
  const stops = new StopMatcher(parameters.stops);
  for (let count = 0; ; count++) {
    const token = script.tokens[script.endless ? count % script.tokens.length : count];
    const ended = token === undefined || stops.matched;
    if (ended || count === tokensMax) {
      const rest = stops.flush();
      if (rest !== "") yield { kind: "text", text: rest };
      yield { kind: "end", finishReason: ended ? "stop" : "length", promptTokens, completionTokens: count };
      return;
    }
    if (count === script.failAfter) {
      yield { kind: "fault", fault: { code: "upstream_failed", cause: "the script says so" } };
      return;
    }
    await pause(count === 0 ? script.firstMs : script.tokenMs, signal);
    if (signal.aborted) return;
    const text = stops.push(token);
    if (text !== "") yield { kind: "text", text };
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
