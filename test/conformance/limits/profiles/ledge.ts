import { randomBytes } from "node:crypto";
import type { Allowed, Desk, Issued, Profile, Spent } from "../profile.ts";

/** Micro-cents a call; and so little a token that 80 of them are less than half a call. */
export const callPrice = 1_000_000;

/** What the suite's model costs, and how its prompts are counted, at a Ledge that is to be asked. */
export const modelTerms = {
  price: { per_call: callPrice, per_million_input_tokens: 2_000_000, per_million_output_tokens: 5_000_000 },
  // Every prompt of the suite is one token before it is answered: what a rule declares is its output.
  tokens_per_byte_max: 0.001,
};

export const ledge: Profile = {
  name: "ledge",
  about: "ORIGIN_URL is the mock origin, the model is registered with the terms in profiles/ledge.ts.",
  claims: new Set(["requests", "tokens", "in-flight", "retry-after", "quota", "money", "usage", "durable"]),
  dress: ({ key }) => ({ Authorization: `Bearer ${key}` }),
  issue,
};

/** A tenant with the quotas, and a key of it with the limits. */
async function issue(allowed: Allowed, desk: Desk): Promise<Issued> {
  const tenant = `limits-${randomBytes(6).toString("hex")}`;
  const { callsPerDay, tokensPerDay, callsWorthPerDay } = allowed;
  const quotas = said({
    calls_per_day: callsPerDay,
    tokens_per_day: tokensPerDay,
    microcents_per_day: callsWorthPerDay === undefined ? undefined : (callsWorthPerDay + 0.5) * callPrice,
  });
  const limits = said({
    requests_per_minute: allowed.requestsPerMinute,
    output_tokens_per_minute: allowed.tokensPerMinute,
    in_flight: allowed.inFlight,
  });
  await operate(desk, "POST", "/tenants", { tenant, ...(quotas === undefined ? {} : { quotas }) });
  const { key } = (await operate(desk, "POST", "/keys", {
    tenant,
    name: "conformance",
    ...(limits === undefined ? {} : { limits }),
  })) as { key: string };
  return { key, spent: () => spent(desk, tenant) };
}

function said(members: Readonly<Record<string, number | undefined>>): object | undefined {
  const known = Object.entries(members).filter(([, value]) => value !== undefined);
  return known.length === 0 ? undefined : Object.fromEntries(known);
}

interface Line {
  readonly calls: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cost: number;
}

async function spent(desk: Desk, tenant: string): Promise<Spent> {
  const { lines } = (await operate(desk, "GET", `/usage?tenant=${tenant}&by=tenant`)) as { lines: readonly Line[] };
  const [line] = lines;
  if (line === undefined) return { calls: 0, inputTokens: 0, outputTokens: 0, money: 0 };
  const { calls, input_tokens: inputTokens, output_tokens: outputTokens, cost: money } = line;
  return { calls, inputTokens, outputTokens, money };
}

async function operate({ url, adminKey }: Desk, method: string, path: string, body?: object): Promise<unknown> {
  if (adminKey === undefined) throw new Error("--admin-key is needed to issue keys");
  const answer = await fetch(`${url}/admin/v1${path}`, {
    method,
    headers: { Authorization: `Bearer ${adminKey}`, "Content-Type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path} got ${answer.status} ${text.slice(0, 200)}`);
  return JSON.parse(text);
}
