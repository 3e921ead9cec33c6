import { afterAll, beforeAll, expect, test } from "vitest";
import { main } from "../../packages/cli/src/main.ts";
import { type FakeAdmin, startFakeAdmin } from "../support/fake-admin.ts";
import { fakeTerminal } from "../support/fake-terminal.ts";

/** What `ledge block` sends and shows; what the Workers make of it is in test/edge/abuse.test.ts. */

let admin: FakeAdmin;

beforeAll(async () => {
  admin = await startFakeAdmin();
});
afterAll(() => admin.close());

async function ledge(line: string) {
  const terminal = fakeTerminal({ env: { LEDGE_ADMIN_KEY: "an-operator's-key", LEDGE_URL: admin.url } });
  const code = await main(line.split(" "), terminal);
  return { code, said: terminal.said.join("\n"), printed: terminal.printed.join("\n") };
}

test("ledge block list shows who is blocked, why, and until when or by whom it was ended", async () => {
  const block = {
    number: 2,
    subject: "ip:203.0.113.7",
    reason: "credentials",
    at: "2026-01-01T00:00:00.000Z",
    until: "2026-01-01T00:01:00.000Z",
    times: 1,
  };
  const lifted = {
    ...block,
    number: 1,
    subject: "key:a",
    lifted_at: "2026-01-01T00:00:30.000Z",
    lifted_by: "operator",
  };
  admin.answers.set("GET /blocks", [200, { blocks: [block] }]);
  admin.answers.set("GET /blocks?all=true", [200, { blocks: [block, lifted] }]);
  const now = await ledge("block list");
  expect(now.printed).toContain("ip:203.0.113.7");
  expect(now.printed).toContain("2026-01-01T00:01:00.000Z");
  expect((await ledge("block list --all")).printed).toContain("lifted 2026-01-01T00:00:30.000Z by operator");
  expect(JSON.parse((await ledge("block list --json")).printed)).toEqual({ blocks: [block] });
  admin.answers.set("GET /blocks", [200, { blocks: [] }]);
  expect((await ledge("block list")).printed).toBe("Nobody is blocked.");
});

test("ledge block lift ends a block by address, and says so when there is none", async () => {
  admin.answers.set("POST /blocks/lift", [200, { lifted: "ip:203.0.113.7" }]);
  expect((await ledge("block lift 203.0.113.7")).printed).toBe("ip:203.0.113.7 is no longer blocked.");
  expect(admin.calls.at(-1)).toMatchObject({ call: "POST /blocks/lift", json: { of: "203.0.113.7" } });
  admin.answers.set("POST /blocks/lift", [404, { title: "Nobody of this name is blocked.", code: "block_not_found" }]);
  const none = await ledge("block lift 203.0.113.8");
  expect([none.code, none.said]).toEqual([1, expect.stringContaining("Nobody of this name is blocked.")]);
});
