import { expect, test } from "vitest";
import { readConfig } from "./config.ts";

const env = {
  ORIGIN_URL: "https://origin.example/",
  ORIGINS: "[]",
  ORIGIN_SECRET: "a-secret-of-enough-length",
  ORIGIN_CALLS_MAX: "256",
  HELD_CALLS_MAX: "8",
  FALLBACK_HOLD_MS: "1000",
  MODEL_CALLS_MAX: "192",
};

const pools = [
  { region: "eu", continents: ["EU"], origins: [{ name: "eu-1", url: "https://eu.example" }] },
  { region: "us", origins: [{ name: "us-1", url: "https://us.example/", weight: 3 }] },
];

test("one address alone is a pool of one", () => {
  expect(readConfig(env)).toMatchObject({
    value: { pools: [{ name: "default", origins: [{ name: "origin", url: "https://origin.example", weight: 1 }] }] },
  });
});

test("pools are read with their regions, continents and weights, and the one address is left aside", () => {
  expect(readConfig({ ...env, ORIGINS: JSON.stringify(pools) })).toMatchObject({
    value: {
      pools: [
        { name: "eu", continents: ["EU"], origins: [{ name: "eu-1", weight: 1 }] },
        { name: "us", origins: [{ url: "https://us.example", weight: 3 }] },
      ],
    },
  });
});

test.each([
  ["no origin at all", { ORIGIN_URL: "" }, ["ORIGIN_URL"]],
  [
    "no secret, and bounds that are none",
    { ORIGIN_SECRET: "short", ORIGIN_CALLS_MAX: "0" },
    ["ORIGIN_SECRET", "ORIGIN_CALLS_MAX"],
  ],
  ["pools that are not JSON", { ORIGINS: "[" }, ["ORIGINS"]],
  [
    "a continent that is none",
    { ORIGINS: JSON.stringify([{ ...pools[0], continents: ["XX"] }]) },
    ["ORIGINS[0].continents[0]"],
  ],
  ["two origins of one name", { ORIGINS: JSON.stringify([pools[0], pools[0]]) }, ["ORIGINS"]],
] as const)("%s is refused by name", (_name, wrong, paths) => {
  const read = readConfig({ ...env, ...wrong });
  expect(read.ok ? [] : read.fault.issues?.map(({ path }) => path)).toEqual(paths);
});

test("an origin is reached by the binding that it names, which has to be there", () => {
  const bound = { fetch: async () => new Response() };
  const many = (binding: string) => [{ region: "eu", origins: [{ name: "eu-1", url: "http://eu.internal", binding }] }];
  const read = readConfig({ ...env, EU_1: bound, ORIGINS: JSON.stringify(many("EU_1")) });
  expect(read).toMatchObject({ value: { pools: [{ origins: [{ name: "eu-1", binding: bound }] }] } });
  for (const binding of ["EU_2", "ORIGIN_URL"]) {
    const refused = readConfig({ ...env, EU_1: bound, ORIGINS: JSON.stringify(many(binding)) });
    expect(refused).toMatchObject({ fault: { issues: [{ path: "ORIGINS" }] } });
  }
});
