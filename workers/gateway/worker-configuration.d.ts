// Made by 'npm run generate': wrangler types --include-runtime=false --strict-vars=false
interface __BaseEnv_GatewayBindings {
	KEYS: KVNamespace;
	ANSWERS: KVNamespace;
	SNAPSHOTS: KVNamespace;
	FLOOD_WALL: RateLimit;
	FALLBACKS: string;
	ORIGIN_IN_FLIGHT_MAX: string;
	ORIGIN_WAITING_MAX: string;
	BODY_BYTES_MAX: string;
	JOB_BYTES_MAX: string;
	TIMEOUT_MS_DEFAULT: string;
	TIMEOUT_MS_MAX: string;
	CACHE_TTL_S: string;
	CACHE_STALE_WHILE_REVALIDATE_S: string;
	CACHE_STALE_IF_ERROR_S: string;
	WORKERS_CACHE: string;
	REQUESTS_PER_MINUTE_DEFAULT: string;
	ABUSE: string;
	LOG: string;
	CACHE_SECRET: string;
	KEY_PEPPER: string;
	FLIGHTS: DurableObjectNamespace<import("./src/index").Flight>;
	REGISTRY: DurableObjectNamespace /* Registry from ledge-operator */;
	TALLIES: DurableObjectNamespace /* Tally from ledge-operator */;
	CACHE_KEEPER: DurableObjectNamespace /* CacheKeeper from ledge-operator */;
	METERS: DurableObjectNamespace /* Meter from ledge-meter */;
	LEDGERS: DurableObjectNamespace /* Ledger from ledge-operator */;
	OFFENDERS: DurableObjectNamespace /* Offender from ledge-operator */;
	BLOCKS: DurableObjectNamespace /* Blocks from ledge-operator */;
	SEMANTIC_INDEX: DurableObjectNamespace /* SemanticIndex from ledge-semantic */;
	INFERENCE: Fetcher /* ledge-inference */;
	OPERATOR: Fetcher /* ledge-operator */;
	ORIGINS: Fetcher /* ledge-dispatch */;
	IDENTITY: Fetcher /* ledge-identity */;
	JOBS: Fetcher /* ledge-jobs */;
}
declare namespace Cloudflare {
	interface GlobalProps {
		mainModule: typeof import("./src/index");
		durableNamespaces: "Flight";
	}
	interface Env extends __BaseEnv_GatewayBindings {}
}
interface GatewayBindings extends __BaseEnv_GatewayBindings {}
type StringifyValues<EnvType extends Record<string, unknown>> = {
	[Binding in keyof EnvType]: EnvType[Binding] extends string ? EnvType[Binding] : string;
};
declare namespace NodeJS {
	interface ProcessEnv extends StringifyValues<Pick<Cloudflare.Env, "FALLBACKS" | "ORIGIN_IN_FLIGHT_MAX" | "ORIGIN_WAITING_MAX" | "BODY_BYTES_MAX" | "JOB_BYTES_MAX" | "TIMEOUT_MS_DEFAULT" | "TIMEOUT_MS_MAX" | "CACHE_TTL_S" | "CACHE_STALE_WHILE_REVALIDATE_S" | "CACHE_STALE_IF_ERROR_S" | "WORKERS_CACHE" | "REQUESTS_PER_MINUTE_DEFAULT" | "ABUSE" | "LOG" | "CACHE_SECRET" | "KEY_PEPPER">> {}
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