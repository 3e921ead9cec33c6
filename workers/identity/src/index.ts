import { env, WorkerEntrypoint } from "cloudflare:workers";
import { fail, type IdentityService, type Result, type VerifiedToken } from "@ledge/contract";
import { readConfig } from "./env.ts";
import { TokenVerifier } from "./verify/token-verifier.ts";
import { wire } from "./wire.ts";

/** Lives as long as the isolate: entrypoints come and go with each call. */
const config = readConfig(env);
const verifier = config.ok ? new TokenVerifier(wire(config.value)) : undefined;

/**
 * Who a token's bearer is, on RPC for the gateway only: what reads hostile tokens and fetches from identity providers has a
 * Worker of its own (docs/decisions/0004-identity.md). Every expected failure is a fault value.
 */
export default class Identity extends WorkerEntrypoint<Env> implements IdentityService {
  async verify(token: string): Promise<Result<VerifiedToken>> {
    if (verifier !== undefined) return await verifier.verify(token);
    const wrong = config.ok ? [] : (config.fault.issues ?? []);
    const cause = `set these variables or secrets: ${wrong.map(({ path, message }) => `${path} (${message})`).join(", ")}`;
    return fail("identity_unavailable", { cause });
  }

  /** Not public: whoever reaches this Worker over HTTP finds nothing. */
  override async fetch(): Promise<Response> {
    return new Response(null, { status: 404 });
  }
}
