import type { Issuer } from "@ledge/contract";
import type { JSONWebKeySet } from "jose";
import { type BoundedFetch, ProviderFailed } from "../fetch/bounded-fetch.ts";

/** How long what a discovery document says is believed. */
const discoveredForMs = 60 * 60_000;

/** Fetches an issuer's keys from where its configuration, or its discovery document, says. Throws when they cannot be had. */
export function keySetOf(issuer: Issuer, http: BoundedFetch, nowMs: () => number): () => Promise<JSONWebKeySet> {
  let discovered = { url: "", untilMs: 0 };
  const keysUrl = async () => {
    if (issuer.jwks_url !== undefined) return issuer.jwks_url;
    if (nowMs() < discovered.untilMs) return discovered.url;
    const url = await discover(issuer, http);
    discovered = { url, untilMs: nowMs() + discoveredForMs };
    return url;
  };
  return async () => {
    try {
      const { keys } = await http.json(await keysUrl());
      if (!Array.isArray(keys)) throw new ProviderFailed(`${issuer.name}: the key set has no list of keys`);
      return { keys };
    } catch (error) {
      // The provider may have moved its keys.
      discovered = { url: "", untilMs: 0 };
      throw error;
    }
  };
}

/** OpenID Connect Discovery 1.0: a document that speaks for another issuer is not believed (§4.3). */
async function discover({ name, issuer, discovery_url: url }: Issuer, http: BoundedFetch): Promise<string> {
  const document = await http.json(url ?? `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`);
  if (document.issuer !== issuer) throw new ProviderFailed(`${name}: the discovery document is of another issuer`);
  if (typeof document.jwks_uri !== "string") throw new ProviderFailed(`${name}: the discovery document names no keys`);
  return document.jwks_uri;
}
