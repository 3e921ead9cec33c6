import { cacheTenant } from "@ledge/contract";
import { Refusal } from "../refusal.ts";
import { modelNameOf, modelPath } from "./model-version.ts";

/** Whose cache a command is about: a model's or a tenant's. */
export interface OwnerFlags {
  readonly model?: string;
  readonly tenant?: string;
}

export interface CacheOwner {
  /** `model intent`, `tenant acme`. */
  readonly text: string;
  /** Of its policy, below `/admin/v1`. */
  readonly path: string;
}

/** Reads `--model` or `--tenant`; undefined when neither is given. Throws {@link Refusal} for both. */
export function ownerOf({ model, tenant }: OwnerFlags): CacheOwner | undefined {
  if (model !== undefined && tenant !== undefined) throw new Refusal("Give --model or --tenant, not both.", 2);
  if (model !== undefined) return { text: `model ${model}`, path: `${modelPath(modelNameOf(model))}/cache` };
  return tenant === undefined ? undefined : { text: `tenant ${tenant}`, path: `${tenantPath(tenant)}/cache` };
}

/** Throws {@link Refusal}. */
export function tenantPath(tenant: string): string {
  if (cacheTenant.safeParse(tenant).success) return `/tenants/${encodeURIComponent(tenant)}`;
  throw new Refusal("A tenant's name has 1 to 128 characters, none of them a control character.", 2);
}
