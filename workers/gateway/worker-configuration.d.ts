/* eslint-disable */
// Made by 'npm run generate': wrangler types --include-runtime=false --strict-vars=false
interface __BaseEnv_Env {
	KEYS: KVNamespace;
	ANSWERS: KVNamespace;
	SNAPSHOTS: KVNamespace;
	MODEL_BYTES: R2Bucket;
	ORIGIN_URL: string;
	BODY_BYTES_MAX: string;
	MODEL_BYTES_MAX: string;
	TIMEOUT_MS_DEFAULT: string;
	TIMEOUT_MS_MAX: string;
	CACHE_TTL_S: string;
	REQUESTS_PER_MINUTE_DEFAULT: string;
	LOG: string;
	JWT_ISSUER: string;
	JWT_AUDIENCE: string;
	JWT_JWKS_URL: string;
	JWT_TENANT_CLAIM: string;
	ORIGIN_SECRET: string;
	ADMIN_KEY_HASH: string;
	RATE_LIMITS: DurableObjectNamespace<import("./src/index").RateLimiter>;
	REGISTRY: DurableObjectNamespace<import("./src/index").Registry>;
	TALLIES: DurableObjectNamespace<import("./src/index").Tally>;
	HOT_LIST: DurableObjectNamespace<import("./src/index").HotList>;
	SEMANTIC_INDEX: DurableObjectNamespace<import("./src/index").SemanticIndex>;
	INFERENCE: Fetcher /* ledge-inference */;
}
declare namespace Cloudflare {
	interface GlobalProps {
		mainModule: typeof import("./src/index");
		durableNamespaces: "RateLimiter" | "Registry" | "Tally" | "HotList" | "SemanticIndex";
	}
	interface Env extends __BaseEnv_Env {}
}
interface Env extends __BaseEnv_Env {}
type StringifyValues<EnvType extends Record<string, unknown>> = {
	[Binding in keyof EnvType]: EnvType[Binding] extends string ? EnvType[Binding] : string;
};
declare namespace NodeJS {
	interface ProcessEnv extends StringifyValues<Pick<Cloudflare.Env, "ORIGIN_URL" | "BODY_BYTES_MAX" | "MODEL_BYTES_MAX" | "TIMEOUT_MS_DEFAULT" | "TIMEOUT_MS_MAX" | "CACHE_TTL_S" | "REQUESTS_PER_MINUTE_DEFAULT" | "LOG" | "JWT_ISSUER" | "JWT_AUDIENCE" | "JWT_JWKS_URL" | "JWT_TENANT_CLAIM" | "ORIGIN_SECRET" | "ADMIN_KEY_HASH">> {}
}
declare module "*.txt" {
	const value: string;
	export default value;
}
declare module "*.html" {
	const value: string;
	export default value;
}
declare module "*.sql" {
	const value: string;
	export default value;
}
declare module "*.bin" {
	const value: ArrayBuffer;
	export default value;
}
declare module "*.wasm" {
	const value: WebAssembly.Module;
	export default value;
}
declare module "*.wasm?module" {
	const value: WebAssembly.Module;
	export default value;
}