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
import type { Engine, EngineModel, PreparedChat, Say } from "../engine.ts";
import type { Sleeper } from "../sleeper.ts";
import { relay } from "./relay.ts";
import { nothingLeft, resumedRequest, withoutResume } from "./resume.ts";

const embeddings = z.object({
  data: z.array(z.object({ index: z.int(), embedding: z.array(z.number()) })),
  usage: z.optional(z.nullable(z.object({ prompt_tokens: z.int() }))),
});

/** What a server can do beside answering. */
interface Abilities {
  /** It goes on with an answer that was begun. */
  readonly resumes?: boolean;
  /** It may be asleep. */
  readonly sleeper?: Sleeper | undefined;
}

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
  readonly #resumes: boolean;
  readonly #sleeper: Sleeper | undefined;
  readonly wake?: NonNullable<Engine["wake"]>;

  /** `servedName` is what the server calls the model. */
  constructor(
    model: EngineModel,
    server: EngineServer,
    servedName: string,
    { resumes = false, sleeper }: Abilities = {},
  ) {
    this.model = model;
    this.#server = server;
    this.#servedName = servedName;
    this.#resumes = resumes;
    this.#sleeper = sleeper;
    if (sleeper !== undefined) this.wake = () => sleeper.wake();
    if (model.task === "embedding") this.predict = (call, signal) => this.#embed(call, signal);
    else {
      this.chat = async (request) => this.#chat(request);
      this.complete = async (request) => {
        const resumable = withoutResume(request);
        return resumable.ok ? this.#relay("/completions", request) : resumable;
      };
    }
  }

  async close(): Promise<void> {}

  #chat(request: ChatRequest): Result<PreparedChat> {
    const resumed = resumedRequest(request, this.#resumes);
    if (!resumed.ok) return resumed;
    return resumed.value === undefined ? ok({ run: nothingLeft }) : this.#relay("/chat/completions", resumed.value);
  }

  #relay(path: string, request: ChatRequest | CompletionRequest): Result<PreparedChat> {
    const { stream_options, ...members } = { ...request, model: this.#servedName };
    const body =
      request.stream === true ? { ...members, stream_options: { ...stream_options, include_usage: true } } : members;
    const asleep = this.#sleeper?.refusal();
    if (asleep !== undefined) return { ok: false, fault: asleep };
    return ok({ run: (signal, say) => relay(this.#server, path, body, signal, this.#watched(say)) });
  }

  /** Passes the events on, and sees from them whether the server is awake. */
  #watched(say: Say): Say {
    const sleeper = this.#sleeper;
    if (sleeper === undefined) return say;
    return (event) => {
      if (event.kind === "fault") return say({ kind: "fault", fault: sleeper.faultOf(event.fault) });
      sleeper.heard();
      say(event);
    };
  }

  async #embed({ inputs }: PredictCall, signal: AbortSignal): Promise<Result<PredictAnswer>> {
    const startedMs = performance.now();
    if (!inputs.every((input) => typeof input === "string")) {
      return fail("invalid_request", { issues: [{ path: "input", message: "The model takes texts." }] });
    }
    const asleep = this.#sleeper?.refusal();
    if (asleep !== undefined) return { ok: false, fault: asleep };
    const body = JSON.stringify({ model: this.#servedName, input: inputs, encoding_format: "float" });
    const outgoing = { body, headers: { "Content-Type": "application/json" } };
    const response = await callServer(this.#server, "/embeddings", outgoing, signal);
    if (!response.ok) return { ok: false, fault: this.#sleeper?.faultOf(response.fault) ?? response.fault };
    this.#sleeper?.heard();
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
