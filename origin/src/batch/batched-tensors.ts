import { ok, type Result, type Tensors } from "@ledge/contract";
import { joinRaw, type RawCall, splitRaw } from "@ledge/pipeline";
import type { BatchRule } from "@ledge/policy/batching";
import type { Engine, EngineModel, Urgency } from "../engines/engine.ts";
import { Batcher, type BatcherPorts } from "./batcher.ts";
import { patient } from "./patient.ts";
import { rawSubmission } from "./raw-submission.ts";

/** An engine of tensors whose calls share requests to it: whoever configures that says that the first dimension is a batch. */
export class BatchedTensors implements Engine {
  readonly model: EngineModel;
  readonly batcher: Batcher<RawCall, Tensors>;
  readonly #engine: Engine & Required<Pick<Engine, "infer">>;

  constructor(
    engine: Engine & Required<Pick<Engine, "infer">>,
    rule: BatchRule,
    ports: Omit<BatcherPorts<RawCall, Tensors>, "run">,
  ) {
    this.model = engine.model;
    this.#engine = engine;
    this.batcher = new Batcher(rule, { ...ports, run: (calls, signal) => this.#run(calls, signal) });
  }

  close(): Promise<void> {
    return this.#engine.close();
  }

  async infer(
    feeds: Tensors,
    outputs: readonly string[] | undefined,
    signal: AbortSignal,
    urgency: Urgency = patient,
  ): Promise<Result<Tensors>> {
    const ran = await this.batcher.submit(rawSubmission(feeds, outputs, urgency, true), signal);
    return ran.ok ? ok(ran.value.answer) : ran;
  }

  async #run(calls: readonly RawCall[], signal: AbortSignal): Promise<Result<readonly Tensors[]>> {
    const outputs = await this.#engine.infer(joinRaw(calls), calls[0]?.outputs, signal);
    return outputs.ok ? splitRaw(outputs.value, calls) : outputs;
  }
}
