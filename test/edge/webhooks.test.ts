import { createHmac } from "node:crypto";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { LedgerEvent, WebhookAnswer } from "@ledge/contract";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startEdge, type TestEdge, until } from "../support/ledge.ts";
import { admin, echoInference } from "../support/registry.ts";

/** Events of a tenant's quotas go where the tenant says, and elsewhere only when it says nothing. */

const told: { readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: string }[] = [];
const receiver = createServer(async (request, response) => {
  told.push({ path: request.url ?? "", headers: request.headers, body: await text(request) });
  response.statusCode = 204;
  response.end();
});

let edge: TestEdge;
let at: string;

beforeAll(async () => {
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  at = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  edge = await startEdge({
    standIns: { inference: echoInference },
    operator: {
      EVENTS_WEBHOOK_URL: `${at}/deployment`,
      EVENTS_WEBHOOK_SECRET: "a-secret-of-the-deployment's",
      EVENTS_WEBHOOK_LOCAL: "on",
    },
  });
});
afterAll(async () => {
  await edge.close();
  receiver.close();
});

async function exhaust(tenant: string): Promise<void> {
  const { key } = await edge.issueKey({ tenant });
  await until("the quota is used up", async () => {
    const answer = await edge.post("/v1/predict", key, { model: "intent", input: `call ${Math.random()}` });
    await answer.arrayBuffer();
    return answer.status === 429;
  });
}

const eventsAt = (path: string) =>
  told.filter((one) => one.path === path).map(({ body }) => JSON.parse(body) as LedgerEvent);

test("a tenant's events are told to its own webhook, signed with its own secret, and to nobody else", async () => {
  const quotas = { calls_per_day: 2 };
  expect((await admin(edge, "POST", "/tenants", { tenant: "own", quotas })).status).toBeLessThan(300);
  const set = await admin(edge, "PUT", "/tenants/own/webhook", { url: `${at}/own` });
  const { secret } = set.body as WebhookAnswer;
  await exhaust("own");
  await until("it is told", () => eventsAt("/own").some(({ type }) => type === "quota.exhausted"), 15_000);
  const { headers = {}, body = "" } = told.find(({ path }) => path === "/own") ?? {};
  const [, time = "", signature = ""] = /^t=([0-9]+),v1=([0-9a-f]{64})$/.exec(String(headers["ledge-signature"])) ?? [];
  expect(signature).toBe(createHmac("sha256", secret).update(`${time}.${body}`).digest("hex"));
  expect(eventsAt("/deployment").filter(({ tenant }) => tenant === "own")).toEqual([]);
});

test("the events of a tenant without a webhook are told to the deployment's", async () => {
  const quotas = { calls_per_day: 2 };
  await admin(edge, "POST", "/tenants", { tenant: "plain", quotas });
  await exhaust("plain");
  const isTold = () =>
    eventsAt("/deployment").some(({ tenant, type }) => tenant === "plain" && type === "quota.exhausted");
  await until("it is told", isTold, 15_000);
});
