import { isPublicHost } from "@ledge/policy";

/** Where events go. */
export interface WebhookConfig {
  /** "" for nowhere. */
  readonly url: string;
  readonly secret: string;
  /** Whether an address of this machine, and plain http, will do: on a laptop. */
  readonly local: boolean;
}

const timeoutMs = 10_000;

/**
 * Tells one event: true when it was taken. Signed by HMAC-SHA-256 over time and body, so that whoever takes it can tell it from
 * what others send and from an old one sent again. Redirections are not followed. Never throws.
 */
export async function tell({ url, secret, local }: WebhookConfig, body: string, nowMs: number): Promise<boolean> {
  if (!mayTell(url, local)) return false;
  const time = Math.floor(nowMs / 1000);
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        "Ledge-Signature": `t=${time},v1=${await signature(secret, `${time}.${body}`)}`,
      },
      body,
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs),
    });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

async function signature(secret: string, text: string): Promise<string> {
  const encoder = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), algorithm, false, ["sign"]);
  const bytes = new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(text)));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function mayTell(text: string, local: boolean): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return local || (protocol === "https:" && isPublicHost(hostname));
}
