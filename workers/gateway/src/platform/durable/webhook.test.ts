import { afterEach, expect, test, vi } from "vitest";
import { tell } from "./webhook.ts";

afterEach(() => {
  vi.unstubAllGlobals();
});

const secret = "a-secret-that-events-are-signed-with";

test.each([
  "http://example.com/events",
  "https://127.0.0.1/events",
  "https://10.1.2.3/events",
  "https://169.254.169.254/latest/meta-data",
  "https://[::1]/events",
  "https://[fd00::1]/events",
  "https://2130706433/events",
  "https://0x7f.1/events",
  "https://localhost/events",
  "https://metadata.google.internal/",
  "https://intranet/events",
  "ftp://example.com/",
  "nonsense",
])("nothing is told to %s", async (url) => {
  const fetched = vi.fn();
  vi.stubGlobal("fetch", fetched);
  expect(await tell({ url, secret, local: false }, "{}", 0)).toBe(false);
  expect(fetched).not.toHaveBeenCalled();
});

test("a redirection is not followed and counts as not taken", async () => {
  const fetched = vi.fn(async (_url: string, _init: RequestInit) => new Response(null, { status: 302 }));
  vi.stubGlobal("fetch", fetched);
  expect(await tell({ url: "https://example.com/events", secret, local: false }, "{}", 0)).toBe(false);
  expect(fetched.mock.calls[0]?.[1].redirect).toBe("manual");
});

test("a signature is over time and body, so neither can be changed", async () => {
  const signatures: string[] = [];
  vi.stubGlobal("fetch", async (_url: string, { headers }: { headers: Record<string, string> }) => {
    signatures.push(headers["Ledge-Signature"] ?? "");
    return new Response(null, { status: 204 });
  });
  const to = { url: "https://example.com/events", secret, local: false };
  for (const [body, nowMs] of [
    ["{}", 0],
    ["{}", 5_000],
    ["{ }", 0],
    ["{}", 0],
  ] as const)
    expect(await tell(to, body, nowMs)).toBe(true);
  expect(new Set(signatures).size).toBe(3);
  expect(signatures[0]).toMatch(/^t=0,v1=[0-9a-f]{64}$/);
});
