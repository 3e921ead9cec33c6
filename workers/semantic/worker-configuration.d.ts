// Made by 'npm run generate': wrangler types --include-runtime=false --strict-vars=false
interface __BaseEnv_SemanticBindings {
	SEMANTIC_INDEX: DurableObjectNamespace<import("../../../workers/gateway/src/semantic").SemanticIndex>;
}
declare namespace Cloudflare {
	interface GlobalProps {
		mainModule: typeof import("../../../workers/gateway/src/semantic");
		durableNamespaces: "SemanticIndex";
	}
	interface Env extends __BaseEnv_SemanticBindings {}
}
interface SemanticBindings extends __BaseEnv_SemanticBindings {}
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