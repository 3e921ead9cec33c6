import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CacheAnswer } from "@ledge/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { main } from "../../packages/cli/src/main.ts";
import { keeperOf } from "../support/cache-keeper.ts";
import { fakeTerminal } from "../support/fake-terminal.ts";
import { adminKey, startEdge, type TestEdge } from "../support/ledge.ts";
import { admin, echoInference } from "../support/registry.ts";

/** `ledge cache` against the real Workers. */

const root = mkdtempSync(join(tmpdir(), "ledge-cli-"));
let edge: TestEdge;

beforeAll(async () => {
  edge = await startEdge({ standIns: { inference: echoInference } });
});
afterAll(() => edge.close());

/** With `answers` somebody sits at the terminal and gives them. */
async function ledge(line: string, answers?: readonly string[]) {
  const env = { LEDGE_ADMIN_KEY: adminKey, LEDGE_URL: edge.url };
  const terminal = fakeTerminal({ cwd: root, env, ...(answers === undefined ? {} : { answers }) });
  const code = await main(line.split(" "), terminal);
  return { code, said: terminal.said.join("\n"), printed: terminal.printed.join("\n"), asked: terminal.asked };
}

async function done(line: string): Promise<string> {
  const { code, said, printed } = await ledge(line);
  expect([line, code, code === 0 ? "" : said]).toEqual([line, 0, ""]);
  return printed;
}

const rules = async () => (await admin(edge, "GET", "/cache")).body as CacheAnswer;

describe("ledge cache set", () => {
  test("changes what its flags name and leaves the rest of the policy as it was", async () => {
    await done("cache set --model intent --ttl 600 --vary Accept-Language,x-brand");
    await done("cache set --model intent --stale-if-error 60 --semantic on --probability 0.9");
    expect((await rules()).models.intent).toEqual({
      ttl_s: 600,
      vary: ["accept-language", "x-brand"],
      stale_if_error_s: 60,
      semantic: { enabled: true, probability_min: 0.9 },
    });
    await done("cache set --model intent --ttl default --semantic default --probability default --off");
    expect((await rules()).models.intent).toEqual({
      enabled: false,
      vary: ["accept-language", "x-brand"],
      stale_if_error_s: 60,
    });
    await done("cache set --model intent --reset");
    expect((await rules()).models).toEqual({});
  });

  test("with --dry-run says from what to what, and changes nothing", async () => {
    await done("cache set --tenant acme --ttl 60");
    const before = await rules();
    expect(await done("cache set --tenant acme --ttl 90 --dry-run")).toBe(
      `This would set the policy of tenant acme from {"ttl_s":60} to {"ttl_s":90} at ${edge.url}.`,
    );
    expect(await done("cache set --tenant acme --reset --dry-run")).toMatch(
      /^This would take the policy of tenant acme/,
    );
    expect(await rules()).toEqual(before);
  });

  test.each([
    ["cache set --ttl 60", "Say whose: --model or --tenant."],
    ["cache set --model intent --tenant acme --ttl 60", "Give --model or --tenant, not both."],
    ["cache set --model intent --on --off", "Give --on or --off, not both."],
    ["cache set --model Intent --ttl 60", "'Intent' is no model's name"],
    ["cache set --model intent", "That changes nothing of model intent"],
    ["cache set --model intent --ttl soon --collapse never", "ttl_s: .*collapse: "],
    ["cache set --model intent --ttl 0", "ttl_s: "],
    ["cache set --model intent --semantic perhaps", "semantic.enabled: "],
  ])("'ledge %s' ends with 2 and says why, and changes nothing", async (line, why) => {
    const before = await rules();
    const { code, said, printed } = await ledge(line);
    expect([code, printed]).toEqual([2, ""]);
    expect(said).toMatch(new RegExp(why));
    expect(await rules()).toEqual(before);
  });

  test("of a model that nobody knows, or that contradicts itself, ends with 1 and the deployment's sentence", async () => {
    const unknown = await ledge("cache set --model nobody --ttl 60");
    expect([unknown.code, unknown.said]).toEqual([1, expect.stringMatching(/\(model_not_found\)$/)]);
    const odd = await ledge("cache set --model intent --ttl 60 --ttl-max 30");
    expect([odd.code, odd.said]).toEqual([
      1,
      expect.stringMatching(/ttl_s: is above ttl_s_max, 30 \(invalid_request\)$/),
    ]);
  });
});

describe("ledge cache show", () => {
  test("prints policies, purges and changes as tables, and as JSON what the deployment answers", async () => {
    await done("cache set --model intent --ttl 300 --collapse off");
    await done("cache purge --tenant acme --tag faq");
    const text = await done("cache show");
    expect(text).toMatch(/^deployment +on +3600 +2592000 +60 +3600 +8388608 +nothing +– +off$/m);
    expect(text).toMatch(/^model intent +– +300 +– +– +– +– +– +off +–$/m);
    expect(text).toMatch(/^tag:acme:faq +[0-9]+ +20.*Z$/m);
    expect(text).toMatch(/^[0-9]+ +20.*Z +operator +set-policy +model:intent +– → \{"ttl_s":300,"collapse":"off"\}$/m);
    expect(JSON.parse(await done("cache show --json"))).toEqual(await rules());
    expect(await done("cache show --model intent")).toMatch(/^model intent +– +300 /m);
    expect(JSON.parse(await done("cache show --tenant nobody --json"))).toEqual({});
  });
});

describe("ledge cache purge", () => {
  test.each([
    ["--tenant acme --tag faq", "tag:acme:faq"],
    ["--tenant acme --key 0123456789abcdef0123456789abcdef", "key:acme:0123456789abcdef0123456789abcdef"],
    ["--model intent --version 1", "version:intent@1"],
    ["--model intent", "model:intent"],
    ["--tenant acme --yes", "tenant:acme"],
    ["--all --yes", "all"],
  ])("%s purges %s, and with --dry-run says so and purges nothing", async (flags, scope) => {
    const before = await rules();
    expect(await done(`cache purge ${flags} --dry-run`)).toMatch(/^This would purge .* at http/);
    expect(await rules()).toEqual(before);
    expect(await done(`cache purge ${flags}`)).toMatch(/^Purged: /);
    expect((await rules()).purges.at(-1)?.scope).toBe(scope);
  });

  test.each(["cache purge --all", "cache purge --tenant acme", "cache destroy-key --tenant acme"])(
    "'ledge %s' asks first where somebody sits, needs --yes where nobody does, and a no changes nothing",
    async (line) => {
      const before = await rules();
      const nobody = await ledge(line);
      expect([nobody.code, nobody.said]).toEqual([2, expect.stringMatching(/Give --yes to say so\.$/)]);
      const no = await ledge(line, ["n"]);
      expect([no.code, no.said, no.asked]).toEqual([1, "Nothing was changed.", [expect.stringMatching(/\[y\/N\]$/)]]);
      expect(await rules()).toEqual(before);
      expect((await ledge(line, ["y"])).code).toBe(0);
    },
  );

  test.each([
    "",
    " --tag faq",
    " --all --tenant acme",
    " --version 1",
    " --tenant acme --tag a/b",
    " --tenant acme --key 1",
  ])(
    "that is of nothing in particular ('ledge cache purge%s') ends with 2, says what to give, and purges nothing",
    async (flags) => {
      const before = await rules();
      const { code, said } = await ledge(`cache purge${flags}`);
      expect([code, said]).toEqual([2, expect.stringMatching(/^Say what: --all/)]);
      expect(await rules()).toEqual(before);
    },
  );

  test("of a version that nobody knows ends with 1, also as a dry run", async () => {
    for (const more of ["", " --dry-run"]) {
      const { code, said } = await ledge(`cache purge --model intent --version 7${more}`);
      expect([code, said]).toEqual([1, expect.stringMatching(/\(version_not_found\)$/)]);
    }
  });
});

test("ledge cache lists, rotates and destroys a tenant's keys, and shows none of them", async () => {
  expect(await done("cache keys --tenant globex")).toBe(
    "globex has no keys: they are made at its first call that can be kept.",
  );
  const none = await ledge("cache rotate-key --tenant globex");
  expect([none.code, none.said]).toEqual([1, expect.stringMatching(/\(cache_keys_not_found\)$/)]);
  const { sealing } = await (await keeperOf(edge)).keyring("globex", 0);
  expect(await done("cache rotate-key --tenant globex --dry-run")).toMatch(/^This would make a new key for globex/);
  await done("cache rotate-key --tenant globex");
  const listed = await done("cache keys --tenant globex");
  expect(listed).toMatch(/^2 +20.*Z +seals and opens\n1 +20.*Z +opens$/m);
  expect(listed).not.toContain(sealing[0]?.salt);
  expect(await done("cache destroy-key --tenant globex --dry-run")).toMatch(/^This would destroy the keys of globex/);
  expect(JSON.parse(await done("cache keys --tenant globex --json")).keys).toHaveLength(2);
  await done("cache destroy-key --tenant globex --yes");
  expect(JSON.parse(await done("cache keys --tenant globex --json"))).toEqual({ keys: [] });
});
