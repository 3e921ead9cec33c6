import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { targetOf } from "./target.ts";

const folder = mkdtempSync(join(tmpdir(), "ledge-cli-"));
mkdirSync(join(folder, ".ledge"));
mkdirSync(join(folder, "inner"));
writeFileSync(join(folder, ".ledge", "secrets.json"), JSON.stringify({ adminKey: "key-of-start", originSecret: "x" }));
const nowhere = mkdtempSync(join(tmpdir(), "ledge-cli-"));

test("without any flag it is this machine, with the key that npm start keeps here or in a folder above", () => {
  const { url, key } = targetOf(undefined, { env: {}, cwd: join(folder, "inner") });
  expect([url.href, key]).toEqual(["http://127.0.0.1:8787/", "key-of-start"]);
});

test("--url comes before LEDGE_URL, and LEDGE_ADMIN_KEY before the key of this machine", () => {
  const env = { LEDGE_URL: "https://a.example", LEDGE_ADMIN_KEY: "theirs" };
  expect(targetOf(undefined, { env, cwd: folder }).url.origin).toBe("https://a.example");
  const { url, key } = targetOf("http://localhost:99", { env, cwd: folder });
  expect([url.origin, key]).toEqual(["http://localhost:99", "theirs"]);
});

test("the key of this machine never goes to another, and no key goes there in clear", () => {
  expect(() => targetOf("https://a.example", { env: {}, cwd: folder })).toThrow("LEDGE_ADMIN_KEY");
  const env = { LEDGE_ADMIN_KEY: "theirs" };
  expect(() => targetOf("http://a.example", { env, cwd: folder })).toThrow("use https://");
});

test("a missing key and an address that is none are said with what to type", () => {
  expect(() => targetOf(undefined, { env: {}, cwd: nowhere })).toThrow("npm start");
  for (const url of ["nonsense", "ftp://a.example", "https://user:secret@a.example"]) {
    expect(() => targetOf(url, { env: { LEDGE_ADMIN_KEY: "k" }, cwd: nowhere })).toThrow("--url takes");
  }
});
