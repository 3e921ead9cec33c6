// Made by 'npm run generate': wrangler types --include-runtime=false --strict-vars=false
interface __BaseEnv_Env {
	ORIGIN_URL: string;
	ORIGINS: string;
	ORIGIN_CALLS_MAX: string;
	MODEL_CALLS_MAX: string;
	HELD_CALLS_MAX: string;
	FALLBACK_HOLD_MS: string;
	ORIGIN_SECRET: string;
	ORIGIN_BOOK: DurableObjectNamespace<import("./src/index").OriginBook>;
}
declare namespace Cloudflare {
	interface GlobalProps {
		mainModule: typeof import("./src/index");
		durableNamespaces: "OriginBook";
	}
	interface Env extends __BaseEnv_Env {}
}
interface Env extends __BaseEnv_Env {}
type StringifyValues<EnvType extends Record<string, unknown>> = {
	[Binding in keyof EnvType]: EnvType[Binding] extends string ? EnvType[Binding] : string;
};
declare namespace NodeJS {
	interface ProcessEnv extends StringifyValues<Pick<Cloudflare.Env, "ORIGIN_URL" | "ORIGINS" | "ORIGIN_CALLS_MAX" | "MODEL_CALLS_MAX" | "HELD_CALLS_MAX" | "FALLBACK_HOLD_MS" | "ORIGIN_SECRET">> {}
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