// Made by 'npm run generate': wrangler types --include-runtime=false --strict-vars=false
interface __BaseEnv_MeterBindings {
	METERS: DurableObjectNamespace<import("../../../workers/gateway/src/meter").Meter>;
}
declare namespace Cloudflare {
	interface GlobalProps {
		mainModule: typeof import("../../../workers/gateway/src/meter");
		durableNamespaces: "Meter";
	}
	interface Env extends __BaseEnv_MeterBindings {}
}
interface MeterBindings extends __BaseEnv_MeterBindings {}
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