// Made by 'npm run generate': wrangler types --include-runtime=false --strict-vars=false
interface __BaseEnv_OperatorBindings {
	KEYS: KVNamespace;
	SNAPSHOTS: KVNamespace;
	MODEL_BYTES: R2Bucket;
	ORIGIN_URL: string;
	EVENTS_WEBHOOK_URL: string;
	EVENTS_WEBHOOK_LOCAL: string;
	BODY_BYTES_MAX: string;
	MODEL_BYTES_MAX: string;
	TIMEOUT_MS_MAX: string;
	CACHE_TTL_S: string;
	CACHE_STALE_WHILE_REVALIDATE_S: string;
	CACHE_STALE_IF_ERROR_S: string;
	REQUESTS_PER_MINUTE_DEFAULT: string;
	LOG: string;
	ORIGIN_SECRET: string;
	ADMIN_KEY_HASH: string;
	KEY_PEPPER: string;
	REGISTRY: DurableObjectNamespace<import("../../../workers/gateway/src/operator").Registry>;
	TALLIES: DurableObjectNamespace<import("../../../workers/gateway/src/operator").Tally>;
	HOT_LIST: DurableObjectNamespace<import("../../../workers/gateway/src/operator").HotList>;
	CACHE_KEEPER: DurableObjectNamespace<import("../../../workers/gateway/src/operator").CacheKeeper>;
	METERS: DurableObjectNamespace /* Meter from ledge-meter */;
	LEDGERS: DurableObjectNamespace<import("../../../workers/gateway/src/operator").Ledger>;
	LEDGER_LIST: DurableObjectNamespace<import("../../../workers/gateway/src/operator").LedgerList>;
	DIRECTORY: DurableObjectNamespace<import("../../../workers/gateway/src/operator").Directory>;
	OFFENDERS: DurableObjectNamespace<import("../../../workers/gateway/src/operator").Offender>;
	BLOCKS: DurableObjectNamespace<import("../../../workers/gateway/src/operator").Blocks>;
	INFERENCE: Fetcher /* ledge-inference */;
}
declare namespace Cloudflare {
	interface GlobalProps {
		mainModule: typeof import("../../../workers/gateway/src/operator");
		durableNamespaces: "Registry" | "Tally" | "HotList" | "CacheKeeper" | "Ledger" | "LedgerList" | "Directory" | "Offender" | "Blocks";
	}
	interface Env extends __BaseEnv_OperatorBindings {}
}
interface OperatorBindings extends __BaseEnv_OperatorBindings {}
type StringifyValues<EnvType extends Record<string, unknown>> = {
	[Binding in keyof EnvType]: EnvType[Binding] extends string ? EnvType[Binding] : string;
};
declare namespace NodeJS {
	interface ProcessEnv extends StringifyValues<Pick<Cloudflare.Env, "ORIGIN_URL" | "EVENTS_WEBHOOK_URL" | "EVENTS_WEBHOOK_LOCAL" | "BODY_BYTES_MAX" | "MODEL_BYTES_MAX" | "TIMEOUT_MS_MAX" | "CACHE_TTL_S" | "CACHE_STALE_WHILE_REVALIDATE_S" | "CACHE_STALE_IF_ERROR_S" | "REQUESTS_PER_MINUTE_DEFAULT" | "LOG" | "ORIGIN_SECRET" | "ADMIN_KEY_HASH" | "KEY_PEPPER">> {}
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