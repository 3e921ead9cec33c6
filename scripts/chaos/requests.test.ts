import { expect, test } from "vitest";
import { Requests } from "./requests.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));
const call = { method: "POST", path: "/v2/models/pair/versions/1/infer", id: "c-1" };
const taken = (requests: Requests) => requests.taken([{ id: "c-1" }]).get("c-1");

test("a second request of a call is a hedge while the first stands, and a retry when it failed", async () => {
  const requests = new Requests();
  requests.see(call);
  requests.see(call);
  await turn();
  expect(taken(requests)).toMatchObject({ requests: 2, hedges: 1 });
  requests.see(call).failed();
  requests.see(call);
  await turn();
  expect(taken(requests)).toMatchObject({ requests: 2, hedges: 0 });
});

test("one that is known to be given up only after the second was seen makes that a retry too", async () => {
  const requests = new Requests();
  const first = requests.see(call);
  requests.see(call);
  first.failed();
  await turn();
  expect(taken(requests)).toMatchObject({ requests: 2, hedges: 0 });
});

test("a look at an origin is nobody's call", () => {
  const requests = new Requests();
  requests.see({ method: "GET", path: "/readyz" });
  expect(taken(requests)).toBe(undefined);
});
