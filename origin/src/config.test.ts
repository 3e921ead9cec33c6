import { expect, test } from "vitest";
import { readConfig } from "./config.ts";
import { settings, usage } from "./settings.ts";

const secret = { ORIGIN_SECRET: "0123456789abcdef" };

test("a secret is all the configuration that is needed", () => {
  const config = readConfig(secret);
  expect(config).toMatchObject({ ok: true, value: { host: "127.0.0.1", port: 8788, models: undefined, fakes: [] } });
});

test("every fault is reported at once and says what to set", () => {
  const result = readConfig({ PORT: "80a", BODY_BYTES_MAX: "-1", TIMEOUT_MS: "1.5", FAKE_MODELS: "{" });
  const faults = result.ok ? [] : result.faults;
  expect(faults).toHaveLength(5);
  for (const name of ["ORIGIN_SECRET", "PORT", "BODY_BYTES_MAX", "TIMEOUT_MS", "FAKE_MODELS"]) {
    expect(faults.some((fault) => fault.startsWith(name))).toBe(true);
  }
});

test.each(["", "short", "has a space in the middle", "ünïcödé-ünïcödé-ünïcödé"])(
  "the secret %j is refused",
  (value) => {
    expect(readConfig({ ORIGIN_SECRET: value }).ok).toBe(false);
  },
);

test("a fault in the secret does not print the secret", () => {
  const result = readConfig({ ORIGIN_SECRET: "hunter2" });
  expect(JSON.stringify(result)).not.toContain("hunter2");
});

test("a fake script that is misspelt is refused with its place", () => {
  const result = readConfig({ ...secret, FAKE_MODELS: '[{"name":"fake","tokenMilliseconds":1}]' });
  expect(result).toMatchObject({ ok: false, faults: [expect.stringContaining("FAKE_MODELS at 0")] });
});

test("the help names every variable", () => {
  for (const name of Object.keys(settings)) expect(usage).toContain(name);
});
