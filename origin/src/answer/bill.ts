import { headers, type Payer, readPayer, type StreamUsage } from "@ledge/contract";
import type { EngineModel } from "../engines/engine.ts";
import { headerOf, type OriginCall } from "../request.ts";

/** Who pays for a call, and since when its engine works. What the gateway did not name a payer for, nobody pays for. */
export class Bill {
  readonly promptTokens: number;
  readonly #call: OriginCall;
  readonly #model: Pick<EngineModel, "name" | "version">;
  readonly #payer: Payer | undefined;
  #startedMs: number;
  #hasBegun = false;
  #paid = false;

  constructor(call: OriginCall, model: Pick<EngineModel, "name" | "version">, promptTokens = 0) {
    const text = headerOf(call.incoming, headers.payer);
    this.#payer = text === null ? undefined : readPayer(text);
    this.#call = call;
    this.#model = model;
    this.promptTokens = promptTokens;
    this.#startedMs = call.stage.nowMs();
  }

  /** The engine's work begins only now: the call has waited. Of several parts, the first counts. */
  begin(): void {
    if (!this.#hasBegun) this.#startedMs = this.#call.stage.nowMs();
    this.#hasBegun = true;
  }

  /** Whether the gateway is to be told what the call used. */
  get isWanted(): boolean {
    return this.#payer !== undefined;
  }

  /** Writes the call into the journal, once. `code` says how it broke off. */
  pay(outputTokens: number, code?: string, inputTokens = this.promptTokens): StreamUsage {
    const { nowMs, journal } = this.#call.stage;
    const atMs = nowMs();
    const runMs = Math.round((atMs - this.#startedMs) * 1_000) / 1_000;
    const used = { input_tokens: inputTokens, output_tokens: outputTokens, run_ms: runMs };
    if (this.#payer !== undefined && !this.#paid) {
      const { name: model, version } = this.#model;
      const { requestId } = this.#call.record;
      const how = code === undefined ? {} : { code };
      journal?.write({
        ...this.#payer,
        request_id: requestId,
        model,
        version,
        ...used,
        at_ms: Math.round(atMs),
        ...how,
      });
    }
    this.#paid = true;
    return used;
  }
}
