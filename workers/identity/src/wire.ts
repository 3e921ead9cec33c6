import { type Config, mayFetch } from "./env.ts";
import { BoundedFetch } from "./fetch/bounded-fetch.ts";
import type { VerifierDeps } from "./verify/token-verifier.ts";

/** Everything an isolate keeps between calls. */
export function wire({ issuers, secrets, privateIssuers }: Config): VerifierDeps {
  return {
    issuers,
    secrets,
    // `fetch` must be called as a member of nothing.
    http: new BoundedFetch((url, init) => fetch(url, init), privateIssuers ? isHttp : mayFetch),
    sha256: async (text) => new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))),
    nowMs: () => Date.now(),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  };
}

function isHttp(text: string): boolean {
  return /^https?:$/.test(URL.parse(text)?.protocol ?? "");
}
