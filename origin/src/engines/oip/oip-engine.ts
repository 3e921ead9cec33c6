import { fail, ok, type Result, type Tensors } from "@ledge/contract";
import type { Engine, EngineModel } from "../engine.ts";

/** A model as the server calls it. */
export interface ServedModel {
  readonly name: string;
  /** Absent: the server chooses. */
  readonly version: string | undefined;
}

/** How an Open Inference Protocol server is spoken to: over REST or gRPC, with equal answers. */
export interface OipTransport {
  /**
   * Faults: `invalid_shape` for what the server says is wrong with the tensors, in its words; `model_not_ready`, `overloaded`,
   * `origin_unavailable`, `upstream_failed`; the reason of the signal when that fired.
   */
  infer(
    model: ServedModel,
    feeds: Tensors,
    outputs: readonly string[] | undefined,
    signal: AbortSignal,
  ): Promise<Result<Tensors>>;
  /** Whether the server says that the model is ready. Faults as `infer`. */
  ready(model: ServedModel, signal: AbortSignal): Promise<Result<boolean>>;
  close(): void;
}

/** One model of an Open Inference Protocol server: tensors to tensors. */
export class OipEngine implements Engine {
  readonly model: EngineModel;
  readonly #transport: OipTransport;
  readonly #served: ServedModel;

  constructor(model: EngineModel, transport: OipTransport, served: ServedModel) {
    this.model = model;
    this.#transport = transport;
    this.#served = served;
  }

  async infer(feeds: Tensors, outputs: readonly string[] | undefined, signal: AbortSignal): Promise<Result<Tensors>> {
    const wanted = outputs === undefined || outputs.length === 0 ? undefined : [...new Set(outputs)];
    const answer = await this.#transport.infer(this.#served, feeds, wanted, signal);
    return answer.ok && wanted !== undefined ? chosen(answer.value, wanted) : answer;
  }

  async close(): Promise<void> {
    this.#transport.close();
  }
}

/** Some servers answer with every output, whatever was asked for. */
function chosen(all: Tensors, wanted: readonly string[]): Result<Tensors> {
  const found: [string, Tensors[string]][] = [];
  for (const name of wanted) {
    const tensor = all[name];
    if (tensor === undefined) return fail("invalid_shape", { detail: `The model has no output '${name}'.` });
    found.push([name, tensor]);
  }
  return ok(Object.fromEntries(found));
}
