import { expect, test } from "vitest";
import { bearerCheck } from "./bearer.ts";

const check = bearerCheck("correct-horse-battery");

test("only the exact secret passes", () => {
  expect(check("Bearer correct-horse-battery").ok).toBe(true);
  expect(check("bearer correct-horse-battery").ok).toBe(true);
  for (const wrong of ["correct-horse-batter", "correct-horse-batteryy", "Correct-horse-battery", "x"]) {
    expect(check(`Bearer ${wrong}`)).toMatchObject({ fault: { code: "invalid_credentials" } });
  }
});

test.each([null, "", "Bearer", "Bearer ", "Basic abc", "correct-horse-battery"])(
  "%j carries no credentials",
  (value) => {
    expect(check(value)).toMatchObject({ fault: { code: "missing_credentials" } });
  },
);
