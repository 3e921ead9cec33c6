/**
 * The meter Worker: the Durable Object that counts what a key, a user, a tenant, a model or a tier may use. The gateway asks it, and
 * the operator Worker closes revoked keys in it: of neither's, so that each can be deployed before the other
 * (docs/decisions/0014-limits.md).
 */

export { Meter } from "./platform/durable/meter.ts";

/** Not public: whoever reaches this Worker over HTTP finds nothing. */
export default { fetch: () => new Response(null, { status: 404 }) };
