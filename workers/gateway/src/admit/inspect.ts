import { fail, type ModelManifest, ok, type Result, type TenantRecord, type Tensors } from "@ledge/contract";
import { tensorDistance, textDistance, unicodeFlags, valueFault } from "@ledge/policy";
import type { Trail } from "../exchange.ts";

/** What a tenant's policy says of the inputs of a call. What is only flagged is said in the trail; the input is never changed. */

type Policy = TenantRecord["input"];

/** Characters that hide something, and texts that are far from those the model was made with. Errors: `input_refused`. */
export function inspectTexts(
  texts: readonly string[],
  { unicode, out_of_distribution: odd }: Policy,
  { profile }: ModelManifest,
  trail: Trail,
): Result<true> {
  const flags: readonly string[] = unicode === "allow" ? [] : unicodeFlags(texts);
  if (flags.length > 0) {
    const detail = `It holds characters that hide something: ${flags.join(", ")}.`;
    if (unicode === "refuse") return fail("input_refused", { detail });
    trail.flags = [...(trail.flags ?? []), ...flags];
  }
  if (odd === "allow" || profile?.texts === undefined) return ok(true);
  const { texts: usual } = profile;
  const distance = texts.reduce((most, text) => Math.max(most, textDistance(text, usual)), 0);
  return judge({ distance, threshold: usual.threshold }, odd, trail);
}

/**
 * Whether values are what the model declares that it takes, and whether they are far from those it was made with.
 * Errors: `invalid_shape`, `input_refused`.
 */
export function inspectTensors(
  tensors: Tensors,
  { out_of_distribution: odd }: Policy,
  { inputs, profile }: ModelManifest,
  trail: Trail,
): Result<true> {
  let farthest: Measured = { distance: 0, threshold: 1 };
  for (const spec of inputs) {
    const tensor = own(tensors, spec.name);
    if (tensor === undefined) continue;
    const fault = valueFault(tensor, spec);
    if (fault !== undefined) return fail("invalid_shape", { detail: fault });
    const usual = odd === "allow" ? undefined : own(profile?.tensors, spec.name);
    if (usual === undefined) continue;
    const { threshold } = usual;
    const distance = tensorDistance(tensor, spec, usual);
    if (distance * farthest.threshold > farthest.distance * threshold) farthest = { distance, threshold };
  }
  return odd === "allow" ? ok(true) : judge(farthest, odd, trail);
}

interface Measured {
  readonly distance: number;
  readonly threshold: number;
}

function judge({ distance, threshold }: Measured, odd: "flag" | "refuse", trail: Trail): Result<true> {
  if (distance <= threshold) return ok(true);
  const said = distance.toFixed(2);
  if (odd === "flag") {
    trail.flags = [...(trail.flags ?? []), `out-of-distribution;distance=${said}`];
    return ok(true);
  }
  const detail = `It is unlike what the model was made with: a distance of ${said} of ${threshold.toFixed(2)}.`;
  return fail("input_refused", { detail });
}

function own<T>(record: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined;
}
