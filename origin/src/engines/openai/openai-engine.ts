import {
  type ChatRequest,
  type CompletionRequest,
  fail,
  ok,
  type PredictAnswer,
  type PredictCall,
  parse,
  type Result,
} from "@ledge/contract";
import * as z from "zod/mini";
import { faultOfCallOff } from "../../call-off.ts";
import { callServer, type EngineServer, readText, reasonOf, type ServerAnswer } from "../call-server.ts";
import type { Engine, EngineModel, PreparedChat } from "../engine.ts";
import { relay } from "./relay.ts";

const embeddings = z.object({
  data: z.array(z.object({ index: z.int(), embedding: z.array(z.number()) })),
  usage: z.optional(z.nullable(z.object({ prompt_tokens: z.int() }))),
});

/**
 * One model of an OpenAI-compatible server. Requests go to it as they came, but for the model's name and the usage, which is
 * always asked for; what can be answered is for the server to say.
 */
export class OpenAiEngine implements Engine {
  readonly model: EngineModel;
  readonly chat?: NonNullable<Engine["chat"]>;
  readonly complete?: NonNullable<Engine["complete"]>;
  readonly predict?: NonNullable<Engine["predict"]>;
  readonly #server: EngineServer;
  readonly #servedName: string;

  /** `servedName` is what the server calls the model. */
  constructor(model: EngineModel, server: EngineServer, servedName: string) {
    this.model = model;
    this.#server = server;
    this.#servedName = servedName;
    if (model.task === "embedding") this.predict = (call, signal) => this.#embed(call, signal);
    else {
      this.chat = async (request) => this.#relay("/chat/completions", request);
      this.complete = async (request) => this.#relay("/completions", request);
    }
  }

  async close(): Promise<void> {}

  #relay(path: string, request: ChatRequest | CompletionRequest): Result<PreparedChat> {
    const { stream_options, ...members } = { ...request, model: this.#servedName };
    const body =
      request.stream === true ? { ...members, stream_options: { ...stream_options, include_usage: true } } : members;
    return ok({ run: (signal) => relay(this.#server, path, body, signal) });
  }

  async #embed({ inputs }: PredictCall, signal: AbortSignal): Promise<Result<PredictAnswer>> {
    const startedMs = performance.now();
    if (!inputs.every((input) => typeof input === "string")) {
      return fail("invalid_request", { issues: [{ path: "input", message: "The model takes texts." }] });
    }
    const body = JSON.stringify({ model: this.#servedName, input: inputs, encoding_format: "float" });
    const outgoing = { body, headers: { "Content-Type": "application/json" } };
    const response = await callServer(this.#server, "/embeddings", outgoing, signal);
    if (!response.ok) return response;
    const answer = await readEmbeddings(response.value, this.#server.answerBytesMax, signal);
    if (!answer.ok) return answer;
    const { data, usage } = answer.value;
    if (data.length !== inputs.length) return broken(`${data.length} embeddings of ${inputs.length} texts`);
    const runMs = performance.now() - startedMs;
    return ok({
      predictions: data.toSorted((a, b) => a.index - b.index).map(({ embedding }) => ({ embedding })),
      inputTokens: usage?.prompt_tokens ?? 0,
      timings: { queueMs: 0, prepareMs: 0, runMs, shapeMs: 0, batchRows: inputs.length, executions: 1 },
    });
  }
}

async function readEmbeddings(
  response: ServerAnswer,
  bytesMax: number,
  signal: AbortSignal,
): Promise<Result<z.infer<typeof embeddings>>> {
  try {
    const text = await readText(response, bytesMax);
    if (!text.ok) return text;
    const answer = parse(embeddings, JSON.parse(text.value));
    return answer.ok ? answer : broken("the answer holds no embeddings");
  } catch (error) {
    if (signal.aborted) return { ok: false, fault: faultOfCallOff(signal) };
    return broken(`the answer broke off or is not JSON: ${reasonOf(error)}`);
  }
}

function broken(what: string) {
  return fail("upstream_failed", { cause: `engine: ${what}` });
}
