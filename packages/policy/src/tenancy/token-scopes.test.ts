import { expect, test } from "vitest";
import { scopesOfClaim } from "./token-scopes.ts";

test("scopes of a claim are read from a text or a list, and others' give nothing", () => {
  const both = [
    { actions: ["infer"], models: ["*"] },
    { actions: ["chat"], models: ["tiny-*"] },
  ];
  expect(scopesOfClaim("openid ledge:infer profile ledge:chat:tiny-*", "ledge:")).toEqual(both);
  expect(scopesOfClaim(["ledge:infer", 7, null, "ledge:chat:tiny-*", "ledge:everything"], "ledge:")).toEqual(both);
});

test.each([undefined, null, 7, {}, "", "infer", "ledge:INFER", "ledge:infer:../x", "ledge:infer:", "xledge:infer"])(
  "a claim of scopes that is %o gives nothing",
  (claim) => expect(scopesOfClaim(claim, "ledge:")).toEqual([]),
);
