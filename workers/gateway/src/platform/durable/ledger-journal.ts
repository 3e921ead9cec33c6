import { headers, type JournalEntry, type JournalPage, type LedgerRow, type Terms } from "@ledge/contract";
import { costOf, defaultTerms, priceOf } from "@ledge/policy";
import { signatureText, textToSign } from "@ledge/policy/origins";
import { digests, keyedHash } from "../digests.ts";

/** The origin's own account of what it answered: what the ledger is held against. */

const timeoutMs = 20_000;

export interface JournalSource {
  readonly url: string;
  readonly secret: string;
}

/** The page after `after` of a tenant's calls; `undefined` when the origin keeps no journal. Throws when it cannot be read. */
export async function readJournal(
  { url, secret }: JournalSource,
  tenant: string,
  after: string,
): Promise<JournalPage | undefined> {
  const query = new URLSearchParams({ tenant, after });
  const path = `/v1/usage/journal?${query}`;
  const response = await fetch(url.replace(/\/+$/, "") + path, {
    headers: signed(path, secret),
    redirect: "manual",
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (response.status === 404) return undefined;
  if (response.status !== 200) throw new Error(`the origin's journal: status ${response.status}`);
  return await response.json<JournalPage>();
}

/** As the dispatch Worker signs its calls. */
function signed(path: string, secret: string): Headers {
  const named = new Headers({ [headers.timeoutMs]: String(timeoutMs) });
  const once = { atMs: Date.now(), nonce: crypto.randomUUID().replaceAll("-", ""), bodySha256: digests.sha256Hex("") };
  const text = textToSign({ ...once, method: "GET", path, header: (name) => named.get(name) });
  named.set(headers.signature, signatureText({ ...once, mac: keyedHash(secret)(text) }));
  return named;
}

/** The row that no isolate told, as far as the origin knows it: not the arm, and the engine's time for the whole. */
export function rowOfEntry(entry: JournalEntry, terms: Terms | null): LedgerRow {
  const { call, tenant: _tenant, run_ms: runMs, code, ...named } = entry;
  const used = { inputTokens: entry.input_tokens, outputTokens: entry.output_tokens, runMs };
  const price = priceOf(terms ?? defaultTerms, entry.model);
  const { cost, listCost } = costOf(price, { tier: "origin", kept: false, used, spared: undefined });
  return {
    ...named,
    id: call,
    tier: "origin",
    cache: "miss",
    cost,
    list_cost: listCost,
    latency_ms: Math.round(runMs),
    ...(code === undefined ? {} : { code }),
  };
}

/** The isolate that minted a row's id. */
export function isolateOf(id: string): string {
  return id.slice(0, id.lastIndexOf("."));
}
