import fc from "fast-check";
import { HonoBase } from "hono/hono-base";
import { routePath } from "hono/route";
import { TrieRouter } from "hono/router/trie-router";
import { describe, expect, test } from "vitest";
import { type RouteRow, routeFinder } from "./find-route.ts";

const rows: readonly RouteRow<string>[] = [
  ["POST", "/v1/predict", "predict"],
  ["GET", "/v1/models", "models"],
  ["GET", "/v1/models/:model", "model"],
  ["GET", "/v2/models/:model/versions/:version/ready", "ready"],
  ["GET", "/admin/v1/models/:model/rollout", "rollout"],
  ["ALL", "/admin/*", "admin"],
  ["ALL", "/v1/predict", "not allowed"],
];
const find = routeFinder(rows);
const at = (method: string, path: string) => find(new Request(`https://edge.example${path}`, { method }));

describe("a request", () => {
  test.each([
    ["POST", "/v1/predict", "predict"],
    ["POST", "/v1/predict?q=/x", "predict"],
    ["GET", "/v1/predict", "not allowed"],
    ["HEAD", "/v1/models", "models"],
    ["GET", "/admin/v1/models/m/rollout", "rollout"],
    ["PUT", "/admin/v1/models/m/rollout", "admin"],
    ["DELETE", "/admin/x/y", "admin"],
  ])("%s %s is for %s", (method, path, handler) => {
    expect(at(method, path)?.handler).toBe(handler);
  });

  test("that no row fits is nobody's", () => {
    expect(at("GET", "/v1/models/a/b")).toBeUndefined();
    expect(at("GET", "/v1/predict/")).toBeUndefined();
  });

  test("is given the parts of its path by name, decoded, and is told by its pattern", () => {
    const found = at("GET", "/v2/models/a%20b/versions/7/ready");
    expect(found?.pattern).toBe("/v2/models/:model/versions/:version/ready");
    expect([found?.context.param("model"), found?.context.param("version")]).toEqual(["a b", "7"]);
    expect(found?.context.param("absent")).toBeUndefined();
    expect(found?.context.param("constructor")).toBeUndefined();
  });
});

test("whatever the path, it is found as hono's own app finds it", async () => {
  const app = new HonoBase({ router: new TrieRouter() });
  for (const [method, path, handler] of rows) {
    const answer = (c: Parameters<typeof routePath>[0]) => c.json([handler, routePath(c), c.req.param(), c.req.path]);
    if (method === "ALL") app.all(path, answer);
    else app.on(method, path, answer);
  }
  const part = fc.constantFrom(
    "v1",
    "v2",
    "models",
    "predict",
    "admin",
    "versions",
    "ready",
    "rollout",
    "%41",
    "%2F",
    "a%zz",
    "é",
    "",
  );
  const path = fc.array(part, { maxLength: 7 }).map((parts) => `/${parts.join("/")}`);
  await fc.assert(
    fc.asyncProperty(fc.constantFrom("GET", "POST", "PUT"), path, async (method, text) => {
      const request = new Request(`https://edge.example${text}`, { method });
      const theirs = await app.fetch(request);
      const ours = find(request);
      if (theirs.status === 404) {
        expect(ours).toBeUndefined();
        return;
      }
      const [handler, pattern, params, itsPath] = (await theirs.json()) as [string, string, object, string];
      expect([ours?.handler, ours?.pattern, ours?.path]).toEqual([handler, pattern, itsPath]);
      for (const name of Object.keys(params)) expect(ours?.context.param(name)).toBe(Reflect.get(params, name));
    }),
  );
});
