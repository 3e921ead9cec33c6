import { errors, isErrorCode } from "@ledge/contract";
import { expect, test } from "vitest";
import { mayTryNextTier, tiersInOrder } from "./placement.ts";

test("the edge is asked before the origin, whatever order a package names them in", () => {
  expect(tiersInOrder(["origin", "edge"])).toEqual(["edge", "origin"]);
  expect(tiersInOrder(["origin"])).toEqual(["origin"]);
});

test("no fault of the caller and no passed deadline is tried again elsewhere", () => {
  for (const code of Object.keys(errors).filter(isErrorCode)) {
    if (errors[code].owner === "client" || code === "deadline_exceeded")
      expect(mayTryNextTier({ code }), code).toBe(false);
  }
});

test("a tier that is full, broken or not loaded passes the call on", () => {
  for (const code of ["overloaded", "upstream_failed", "model_not_ready"] as const)
    expect(mayTryNextTier({ code })).toBe(true);
});
