import {
  fail,
  type InputProfile,
  ok,
  type Result,
  type TenantRecord,
  type TensorSpec,
  type Tensors,
} from "@ledge/contract";
import { profileDistance, unicodeFlags, valueFault } from "@ledge/policy";
import type { Trail } from "../exchange.ts";

/**
 * What a tenant's policy says of the texts of a call: characters that hide something, and texts that are far from those the
 * model was made with. What is only flagged is said in the trail; the text itself is never changed. Errors: `input_refused`.
 */
export function inspectTexts(
  texts: readonly string[],
  { unicode, out_of_distribution: odd }: TenantRecord["input"],
  profile: InputProfile | undefined,
  trail: Trail,
): Result<true> {
  const flags: readonly string[] = unicode === "allow" ? [] : unicodeFlags(texts);
  if (flags.length > 0) {
    const detail = `It holds characters that hide something: ${flags.join(", ")}.`;
    if (unicode === "refuse") return fail("input_refused", { detail });
    trail.flags = [...(trail.flags ?? []), ...flags];
  }
  return odd === "allow" || profile === undefined ? ok(true) : inspectDistance(texts, odd, profile, trail);
}

function inspectDistance(
  texts: readonly string[],
  odd: "flag" | "refuse",
  profile: InputProfile,
  trail: Trail,
): Result<true> {
  const distance = texts.reduce((most, text) => Math.max(most, profileDistance(text, profile)), 0);
  if (distance <= profile.threshold) return ok(true);
  const said = `${distance.toFixed(2)} of ${profile.threshold.toFixed(2)}`;
  if (odd === "refuse") {
    return fail("input_refused", { detail: `It is unlike what the model was made with: a distance of ${said}.` });
  }
  trail.flags = [...(trail.flags ?? []), `out-of-distribution;distance=${distance.toFixed(2)}`];
  return ok(true);
}

/** Whether values are what the model declares that it takes. Errors: `invalid_shape`. */
export function inspectTensors(tensors: Tensors, specs: readonly TensorSpec[]): Result<true> {
  for (const spec of specs) {
    const tensor = Object.hasOwn(tensors, spec.name) ? tensors[spec.name] : undefined;
    const fault = tensor && valueFault(tensor, spec);
    if (fault !== undefined) return fail("invalid_shape", { detail: fault });
  }
  return ok(true);
}
