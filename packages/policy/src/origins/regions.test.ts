import { expect, test } from "vitest";
import { nearestRegions } from "./regions.ts";

const regions = [{ name: "us", continents: ["NA", "SA"] }, { name: "eu", continents: ["EU", "AF"] }, { name: "spare" }];

test.each([
  ["EU", ["eu", "us", "spare"]],
  ["SA", ["us", "eu", "spare"]],
  ["OC", ["us", "eu", "spare"]],
  [undefined, ["us", "eu", "spare"]],
] as const)(
  "a caller from %s is sent to its own region first, then to the others as they are listed",
  (from, order) => {
    expect(nearestRegions(regions, from).map(({ name }) => name)).toEqual(order);
  },
);
