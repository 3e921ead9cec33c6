import * as z from "zod/mini";
import { tenantName } from "./records.ts";
import { scopes } from "./scopes.ts";

/** Asymmetric ones only: with `HS256` allowed, a public key would pass as a shared secret. */
export const tokenAlgorithms = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
] as const;

const httpUrl = z.url({ protocol: /^https?$/ });
const claim = z.string().check(z.minLength(1), z.maxLength(256));

/** An identity provider whose tokens are taken. `docs/identity.md` explains each member. */
export const issuer = z
  .strictObject({
    /** Short, for logs and subjects; never changes. */
    name: z.string().check(z.regex(/^[a-z0-9][a-z0-9-]{0,31}$/)),
    /** The claim `iss`, letter by letter. */
    issuer: z.string().check(z.minLength(1), z.maxLength(512)),
    /** One of them must be in `aud`. */
    audiences: z.array(z.string().check(z.minLength(1))).check(z.minLength(1), z.maxLength(16)),
    algorithms: z.optional(z.array(z.enum(tokenAlgorithms)).check(z.minLength(1))),
    /** Default: what the discovery document says. */
    jwks_url: z.optional(httpUrl),
    /** Default: `<issuer>/.well-known/openid-configuration`. */
    discovery_url: z.optional(httpUrl),
    /** For tokens that are not JWTs (RFC 7662). */
    introspection: z.optional(
      z.strictObject({
        url: httpUrl,
        client_id: z.string().check(z.minLength(1)),
        /** Whether an answer that names no audience is taken. */
        any_audience: z.optional(z.boolean()),
      }),
    ),
    /** Which claims say what. A dot goes into objects, where no claim has the whole name. */
    claims: z.optional(
      z.strictObject({
        tenant: z.optional(claim),
        user: z.optional(claim),
        scopes: z.optional(claim),
        tier: z.optional(claim),
      }),
    ),
    /** All its tokens are this tenant's. */
    tenant: z.optional(tenantName),
    /** The only tenants that its tokens may name. */
    tenants: z.optional(z.array(tenantName).check(z.minLength(1))),
    /** What its tokens may do when no claim says; default: what a key may do. */
    scopes: z.optional(scopes),
    /** What stands before an action in the claim of scopes: `ledge:infer`, `ledge:chat:tiny-*`. */
    scope_prefix: z.optional(z.string().check(z.maxLength(128))),
    clock_skew_s: z.optional(z.int().check(z.gte(0), z.lte(300))),
  })
  .check(
    z.refine(({ tenant, claims }) => tenant === undefined || claims?.tenant === undefined, {
      message: "'tenant' and 'claims.tenant' exclude each other",
    }),
  );
export type Issuer = z.infer<typeof issuer>;

/** The variable `ISSUERS`. Among several, each must say which tenants are its own: none may speak for another's. */
export const issuers = z.array(issuer).check(
  z.maxLength(16),
  z.refine(
    (all) => all.length < 2 || all.every(({ tenant, tenants }) => tenant !== undefined || tenants !== undefined),
    {
      message: "with several issuers, each needs 'tenant' or 'tenants'",
    },
  ),
  z.refine((all) => new Set(all.map(({ name }) => name)).size === all.length, { message: "two have one name" }),
  z.refine((all) => new Set(all.map((one) => one.issuer)).size === all.length, { message: "two are one issuer" }),
);
