import * as z from "zod/mini";
import { modelName } from "../manifest.ts";
import { limits, quotas } from "./limits.ts";
import { inputPolicy, projectName, tenantName, userName } from "./records.ts";
import { planName } from "./terms.ts";

/** The operator's API for tenants, their projects and members. */

/** IANA, as in `Europe/Berlin`. */
export const timeZone = z.string().check(z.maxLength(64), z.refine(isTimeZone, "a time zone of IANA's list"));

function isTimeZone(name: string): boolean {
  // Offsets such as +01:00 are no places: their days do not move with the clocks.
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

const weight = z.number().check(z.gte(0.01), z.lte(100));

/** What may be said of a tenant. Absent: as its plan says, or the default. */
export const tenantSettings = z.strictObject({
  /** Default `internal`, which limits nothing. */
  plan: z.optional(planName),
  limits: z.optional(limits),
  quotas: z.optional(quotas),
  weight: z.optional(weight),
  models: z.optional(z.record(modelName, limits)),
  /** Default UTC. */
  time_zone: z.optional(timeZone),
  overrun: z.optional(z.enum(["stop", "allow"])),
  guard: z.optional(
    z.strictObject({
      mode: z.enum(["off", "flag", "block"]),
      model: z.exactOptional(modelName),
      threshold: z.exactOptional(z.number().check(z.gte(0), z.lte(1))),
      /** The label of what may pass. */
      benign: z.exactOptional(z.string().check(z.minLength(1), z.maxLength(128))),
    }),
  ),
  input: z.optional(
    z.strictObject({ unicode: z.exactOptional(inputPolicy), out_of_distribution: z.exactOptional(inputPolicy) }),
  ),
});
export type TenantSettings = z.infer<typeof tenantSettings>;

/** `POST /admin/v1/tenants`. */
export const newTenantRequest = z.extend(tenantSettings, { tenant: tenantName });
export type NewTenantRequest = z.infer<typeof newTenantRequest>;

/** `PATCH /admin/v1/tenants/{tenant}`: RFC 7396 over the settings. `null` takes a member away. */
export const mergePatchRequest = z.looseObject({});

export const tenantAnswer = z.object({
  tenant: tenantName,
  state: z.enum(["active", "suspended"]),
  /** What was said; the plan says the rest. */
  settings: tenantSettings,
  webhook: z.optional(z.object({ url: z.string() })),
  /** RFC 3339. */
  created_at: z.string(),
  projects: z.int(),
  members: z.int(),
  /** That are not revoked. */
  keys: z.int(),
});
export type TenantAnswer = z.infer<typeof tenantAnswer>;

/** By name; `next` is what to send as `after` for more. */
export const tenantsAnswer = z.object({ tenants: z.array(tenantAnswer), next: z.optional(z.string()) });
export type TenantsAnswer = z.infer<typeof tenantsAnswer>;

export const deletedTenant = z.object({ deleted: tenantName, keys: z.int() });
export type DeletedTenant = z.infer<typeof deletedTenant>;

/** Where events of the tenant's quotas go. Whether the address may be reached is for whoever sends to say. */
export const webhookRequest = z.strictObject({
  url: z
    .string()
    .check(
      z.maxLength(2048),
      z.regex(
        /^(?:https:\/\/[^\s/?#@\\]+|http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?)(?:[/?][^\s#\\]*)?$/,
        "an https:// address without a user name; http:// to this machine",
      ),
    ),
});

/** The only time the secret is shown; setting the webhook again makes a new one. */
export const webhookAnswer = z.object({ url: z.string(), secret: z.string() });
export type WebhookAnswer = z.infer<typeof webhookAnswer>;

export const projectRequest = z.strictObject({
  description: z.optional(z.string().check(z.maxLength(256))),
});
export const project = z.object({ project: projectName, description: z.optional(z.string()), created_at: z.string() });
export type Project = z.infer<typeof project>;
export const projectsAnswer = z.object({ projects: z.array(project) });
export type ProjectsAnswer = z.infer<typeof projectsAnswer>;

/** Highest first. A role decides what a member's keys may do. */
export const roles = ["owner", "admin", "developer", "viewer"] as const;
export const role = z.enum(roles);
export type Role = z.infer<typeof role>;

export const memberRequest = z.strictObject({ role });
export const member = z.object({ user: userName, role });
export type Member = z.infer<typeof member>;
export const membersAnswer = z.object({ members: z.array(member) });
export type MembersAnswer = z.infer<typeof membersAnswer>;

/** `keys`: how many ended with it. */
export const removed = z.object({ removed: z.string(), keys: z.optional(z.int()) });
export type Removed = z.infer<typeof removed>;
