import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KeyAnswer, TenantAnswer, Terms } from "@ledge/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { main } from "../../packages/cli/src/main.ts";
import { done as asked } from "../support/directory.ts";
import { fakeTerminal } from "../support/fake-terminal.ts";
import { adminKey, answerTo, startEdge, type TestEdge } from "../support/ledge.ts";
import { echoInference } from "../support/registry.ts";

/** Tenants, members, keys, terms and credentials from the command line, against the real Workers. */

const root = mkdtempSync(join(tmpdir(), "ledge-cli-"));
let edge: TestEdge;

beforeAll(async () => {
  edge = await startEdge({ standIns: { inference: echoInference } });
});
afterAll(() => edge.close());

/** With `answers` somebody sits at the terminal and gives them. */
async function ledge(line: string, answers?: readonly string[], key = adminKey) {
  const env = { LEDGE_ADMIN_KEY: key, LEDGE_URL: edge.url };
  const terminal = fakeTerminal({ cwd: root, env, ...(answers === undefined ? {} : { answers }) });
  const code = await main(line.split(" "), terminal);
  return { code, said: terminal.said.join("\n"), printed: terminal.printed.join("\n"), asked: terminal.asked };
}

async function done(line: string): Promise<string> {
  const { code, said, printed } = await ledge(line);
  expect([line, code, code === 0 ? "" : said]).toEqual([line, 0, ""]);
  return printed;
}

const tenant = (name: string) => asked<TenantAnswer>(edge, "GET", `/tenants/${name}`);
const terms = () => asked<Terms>(edge, "GET", "/terms");

describe("ledge tenant", () => {
  test("makes, changes and shows a tenant: its flags are its settings, and the rest stays", async () => {
    await done("tenant create acme --plan pro --time-zone Europe/Berlin --limit in_flight=8 --quota calls_per_day=100");
    await done(
      "tenant set acme --limit requests_per_minute=60 --limit in_flight=default --guard flag --unicode refuse",
    );
    expect((await tenant("acme")).settings).toEqual({
      plan: "pro",
      time_zone: "Europe/Berlin",
      limits: { requests_per_minute: 60 },
      quotas: { calls_per_day: 100 },
      guard: { mode: "flag" },
      input: { unicode: "refuse" },
    });
    expect(await done("tenant show acme")).toMatch(/^limits +requests_per_minute=60$/m);
    expect(await done("tenant list")).toMatch(/^acme +active +pro +0 +0 +0$/m);
    expect(JSON.parse(await done("tenant show acme --json"))).toEqual(await tenant("acme"));
  });

  test("is suspended and deleted only by who says yes, and --dry-run shows what would go", async () => {
    await done("key create gone --name web");
    await done("project set gone web");
    const dry = await done("tenant delete gone --dry-run");
    expect(dry).toBe(`This would delete gone with 1 keys, 0 members and 1 projects at ${edge.url}.`);
    const unasked = await ledge("tenant delete gone");
    expect([unasked.code, unasked.said]).toEqual([2, expect.stringMatching(/Give --yes/)]);
    expect((await ledge("tenant delete gone", ["n"])).code).toBe(1);
    expect((await ledge("tenant suspend gone", ["n"])).code).toBe(1);
    expect((await tenant("gone")).state).toBe("active");
    await done("tenant suspend gone --yes");
    expect((await tenant("gone")).state).toBe("suspended");
    await done("tenant resume gone");
    expect((await ledge("tenant delete gone", ["y"])).printed).toBe("gone is deleted, and 1 keys with it.");
    const missing = await ledge("tenant show gone");
    expect([missing.code, missing.said]).toEqual([1, expect.stringMatching(/\(tenant_not_found\)$/)]);
  });

  test("prints the webhook's secret once, and no other command does", async () => {
    const secret = await done("tenant webhook acme https://hooks.example.com/ledge");
    expect(secret).toMatch(/^whsec_[0-9a-f]{64}$/);
    expect(await done("tenant show acme")).toContain("events go to https://hooks.example.com/ledge");
    expect(await done("tenant show acme --json")).not.toContain(secret);
    await done("tenant webhook acme --remove");
    expect(await tenant("acme")).not.toHaveProperty("webhook");
  });

  test.each([
    ["tenant set acme", "That changes nothing"],
    ["tenant set acme --limit speed=1", "'speed=1' sets nothing"],
    ["tenant set acme --limit in_flight=many", "'in_flight=many' sets nothing"],
    ["tenant webhook acme", "Give an address or --remove."],
  ])("'ledge %s' ends with 2 and says why", async (line, why) => {
    const { code, said, printed } = await ledge(line);
    expect([code, printed]).toEqual([2, ""]);
    expect(said).toContain(why);
  });
});

describe("ledge project and member", () => {
  test("keep a tenant's projects, and give and take roles", async () => {
    await done("project set acme web --description search");
    expect(await done("project list acme")).toMatch(/^web +search +20/m);
    await done("project remove acme web");
    expect(await done("project list acme")).toBe("There is no project.");
    await done("member set acme ann@example.com --role owner");
    await done("member set acme bob@example.com --role viewer");
    expect(await done("member list acme")).toMatch(/^ann@example\.com +owner\nbob@example\.com +viewer$/m);
    expect((await ledge("member remove acme bob@example.com")).code).toBe(2);
    await done("member remove acme bob@example.com --yes");
    expect(JSON.parse(await done("member list acme --json")).members).toHaveLength(1);
    expect((await ledge("member set acme ann@example.com --role king")).code).toBe(1);
  });
});

describe("ledge key", () => {
  const shown = (id: string) => asked<KeyAnswer>(edge, "GET", `/keys/${id}`);

  test("creates, lists, shows, changes, rotates and revokes a key, which only create and rotate ever print", async () => {
    const flags =
      "--scope infer,chat:intent@1,team-* --ip 192.0.2.0/24 --expires 2099-01-01T00:00:00Z --limit in_flight=2";
    const made = JSON.parse(await done(`key create acme --name ci --user ann@example.com ${flags} --json`));
    expect(await shown(made.id)).toMatchObject({
      user: "ann@example.com",
      scopes: [{ actions: ["infer", "chat"], models: ["intent@1", "team-*"] }],
      ips: ["192.0.2.0/24"],
      expires_at: "2099-01-01T00:00:00.000Z",
      limits: { in_flight: 2 },
    });
    await done(`key set ${made.id} --name renamed --expires default --ip default --scope infer:*`);
    const after = await shown(made.id);
    expect(after).toMatchObject({ name: "renamed", scopes: [{ actions: ["infer"], models: ["*"] }] });
    expect(after).not.toHaveProperty("ips");
    expect(await answerTo(edge, made.key)).toEqual({ status: 200 });
    expect(await done(`key rotate ${made.id} --dry-run`)).toMatch(/^This would issue a key in place of/);
    const next = await done(`key rotate ${made.id} --overlap 0`);
    expect(next).toMatch(/^ledge_[A-Za-z0-9_-]{43}$/);
    const listed = await done("key list --tenant acme --revoked");
    expect(listed).toMatch(new RegExp(`^${made.id} +acme +renamed +revoked +– +ann@example.com +infer:\\*`, "m"));
    expect(listed).not.toContain(next.slice("ledge_".length));
    const [{ id }] = JSON.parse(await done("key list --tenant acme --json")).keys;
    expect(await done(`key show ${id}`)).toMatch(new RegExp(`^rotated_from +${made.id}$`, "m"));
    await done(`key revoke ${id}`);
    expect((await shown(id)).state).toBe("revoked");
  });

  test.each([
    ["key create acme --name x --scope infer", "'infer' is no scope"],
    ["key create acme --name x --scope fly:*", "scopes"],
    ["key create acme --name x --ip nowhere", "ips"],
    ["key create acme --name x --requests-per-minute many", "requests_per_minute"],
  ])("'ledge %s' ends with 2 and says why, and issues none", async (line, why) => {
    const { code, said, printed } = await ledge(line);
    expect([code, printed]).toEqual([2, ""]);
    expect(said).toContain(why);
  });
});

describe("ledge plan, tier and price", () => {
  test("set what their flags name and leave the rest, and list it", async () => {
    await done("tier set gold --priority 1");
    await done("plan set gold --tier gold --limit requests_per_minute=9 --key-limit in_flight=1 --notify-at 0.5,1");
    await done("plan set gold --quota calls_per_day=5 --limit tokens_per_minute=70");
    await done("price set per_million_input_tokens=500 --currency EUR");
    await done("price set per_call=20 --model intent --limit in_flight=3 --tokens-per-byte 0.5");
    expect(await terms()).toMatchObject({
      currency: "EUR",
      price: { per_million_input_tokens: 500 },
      tiers: { gold: { priority: 1 } },
      plans: {
        gold: {
          tier: "gold",
          limits: { requests_per_minute: 9, tokens_per_minute: 70 },
          key_limits: { in_flight: 1 },
          quotas: { calls_per_day: 5 },
          notify_at: [0.5, 1],
        },
      },
      models: { intent: { price: { per_call: 20 }, limits: { in_flight: 3 }, tokens_per_byte_max: 0.5 } },
    });
    expect(await done("plan list")).toMatch(
      /^gold +gold +1 +requests_per_minute=9 tokens_per_minute=70 +in_flight=1 /m,
    );
    expect(await done("tier list")).toMatch(/^gold +1 +–$/m);
    expect(await done("price list")).toMatch(/^intent +per_call=20 +in_flight=3 +0\.5$/m);
    await done("price set --model intent --reset");
    await done("plan remove gold");
    await done("tier remove gold");
    expect((await terms()).models).toEqual({});
  });

  test("with --dry-run say what would be set, and set nothing", async () => {
    const before = await terms();
    expect(await done("plan set pro --weight 9 --dry-run")).toMatch(/^This would set the plan pro to .*"weight":9/);
    expect(await terms()).toEqual(before);
  });
});

describe("ledge limits", () => {
  test("sets those of a tenant, a key, a model, a tier and a tenant's model, and shows which hold together", async () => {
    await done("tenant create limited --plan free");
    const { id } = JSON.parse(await done("key create limited --name web --json"));
    await done("limits set --tenant limited in_flight=default requests_per_minute=30");
    await done("limits set --tenant limited --model intent tokens_per_minute=70");
    await done(`limits set --key ${id} requests_per_second=2`);
    await done("limits set --tier low in_flight=50");
    await done("limits set --model intent in_flight=64");
    expect(JSON.parse(await done(`limits show --key ${id} --json`))).toEqual({
      [`key ${id}`]: { requests_per_second: 2 },
      "each user": {},
      "tenant limited": { requests_per_minute: 30, in_flight: 4 },
      "tenant limited, model intent": { tokens_per_minute: 70 },
      "tier low": { in_flight: 50 },
    });
    expect(await done("limits show --tenant limited")).toMatch(/^tier low +in_flight=50$/m);
    expect((await terms()).models.intent).toEqual({ limits: { in_flight: 64 } });
    await done("limits set --model intent in_flight=default");
    await done("limits set --tier low in_flight=default");
    expect((await terms()).tiers.low).toEqual({ priority: 8, limits: {} });
  });

  test.each([
    ["limits set in_flight=1", "Say whose"],
    ["limits set --tenant a --key b in_flight=1", "Say whose"],
    ["limits set --tenant a speed=1", "'speed=1' sets nothing"],
    ["limits show", "Give --tenant or --key."],
  ])("'ledge %s' ends with 2 and says why", async (line, why) => {
    const { code, said } = await ledge(line);
    expect([code, said]).toEqual([2, expect.stringContaining(why)]);
  });
});

describe("ledge admin", () => {
  test("makes a credential that may do what it says, and ends it", async () => {
    const key = await done("admin create ci --scopes models:read,audit:read");
    expect(key).toMatch(/^ledge_admin_/);
    expect((await ledge("model list", undefined, key)).code).toBe(0);
    const denied = await ledge("tenant list", undefined, key);
    expect([denied.code, denied.said]).toEqual([1, "This takes the scope 'tenants:read'. (scope_denied)"]);
    expect(await done("admin list")).toMatch(/^ci +active +20.* models:read,audit:read$/m);
    await done("admin revoke ci");
    expect((await ledge("model list", undefined, key)).said).toContain("set LEDGE_ADMIN_KEY");
  });
});
