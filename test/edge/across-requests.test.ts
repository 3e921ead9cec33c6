import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll, beforeAll, expect, test } from "vitest";
import { repoRoot } from "../../scripts/repo.ts";
import { until } from "../support/ledge.ts";

/** What workerd does across requests, which flights rest on (docs/decisions/0012-flights.md). */

let origin: Server;
let miniflare: Miniflare;
let url: string;

beforeAll(async () => {
  origin = createServer((request, response) => {
    if (request.url === "/quick") {
      response.end("quick");
      return;
    }
    const ticking = setInterval(() => response.write("tick"), 20);
    response.on("close", () => clearInterval(ticking));
  });
  await new Promise<void>((resolve) => origin.listen(0, "127.0.0.1", resolve));
  const contents = readFileSync(join(repoRoot, "test", "edge", "across-requests.mjs"), "utf8");
  miniflare = new Miniflare(
    convertV4MiniflareOptions({
      cf: false,
      workers: [
        {
          name: "across-requests",
          compatibilityDate: "2026-11-17",
          modules: [{ type: "ESModule", path: "across-requests.mjs", contents }],
          bindings: { ORIGIN: `http://127.0.0.1:${(origin.address() as AddressInfo).port}` },
          durableObjects: { ROOMS: { className: "Room", useSQLite: true } },
          unsafeDirectSockets: [{ port: 0 }],
        },
      ],
    }),
  );
  await miniflare.ready;
  url = (await miniflare.unsafeGetDirectURL("across-requests")).origin;
});
afterAll(async () => {
  await miniflare.dispose();
  origin.closeAllConnections();
  origin.close();
});

const get = async (path: string) => await (await fetch(url + path)).text();
const said = async (name: string): Promise<string[]> => JSON.parse(await get(`/said?name=${name}`));

test("a promise of one's own is settled by another request, and one goes on as oneself", async () => {
  const waiting = get("/waits?name=settled&ms=60000");
  await until("it waits", async () => (await get("/waiting?name=settled")) === "true");
  await get("/settle?name=settled");
  expect(await waiting).toBe("another request");
});

test("one whom nobody settles has a timer of its own", async () => {
  expect(await get("/waits?name=timed&ms=50")).toBe("its own timer");
});

test("settling one whose client has left disturbs nobody", async () => {
  const leaving = new AbortController();
  const left = fetch(`${url}/waits?name=gone&ms=60000`, { signal: leaving.signal }).catch(() => "left");
  await until("it waits", async () => (await get("/waiting?name=gone")) === "true");
  leaving.abort();
  expect(await left).toBe("left");
  expect(await get("/settle?name=gone")).toBe("undefined");
});

/** A leader whose client leaves after the first bytes. */
async function deserted(name: string, more: string): Promise<void> {
  const leaving = new AbortController();
  const answer = await fetch(`${url}/leads?name=${name}${more}`, { signal: leaving.signal });
  await answer.body?.getReader().read();
  leaving.abort();
}

test("a leader whose client leaves goes on to its end when it is waited for, and its object gets all", async () => {
  await deserted("kept", "&waitUntil");
  await until("it has come to its end", async () => (await get("/seen?name=kept")) === "true", 20_000);
  expect((await said("kept")).filter((what) => what === "ended")).toHaveLength(1);
});

test("a leader whose client leaves is ended when nothing waits for it, and its object learns that at once", async () => {
  await deserted("dropped", "");
  await until("the object knows", async () => (await said("dropped")).includes("given up"), 20_000);
  expect(await said("dropped")).toContain("broke off");
  expect(await get("/seen?name=dropped")).toBe("false");
});

test("who reads a stream of an object that is evicted is told that it broke off", async () => {
  const reading = get("/reads?name=evicted");
  await until("it reads", async () => (await get("/waiting?name=evicted")) === "true");
  await get("/die?name=evicted");
  expect(await reading).toBe("one, broke off");
});
