import { exports, WorkerEntrypoint } from "cloudflare:workers";
import type { GatewayEnv } from "../env.ts";
import { answerSealed, type Fetched } from "./sealed-bytes.ts";

/** Sealed answers by `fetch`, so that Cloudflare's Workers Cache can stand in front of it. Reached from this Worker alone. */
export class SealedAnswers extends WorkerEntrypoint<GatewayEnv> {
  override fetch(request: Request): Promise<Response> {
    return answerSealed(request, this.env.ANSWERS, Date.now());
  }
}

/** The way to it: without a network hop, through Workers Cache where that is switched on, and plainly where it is not. */
export function loopback(): Fetched {
  return (exports as unknown as { readonly SealedAnswers: Fetched }).SealedAnswers;
}
