// Made by 'npm run generate': wrangler types --include-runtime=false --strict-vars=false
interface __BaseEnv_Env {
	JOBS_WAITING_MAX: string;
	JOBS_RUNNING_MAX: string;
	JOBS_BYTES_MAX: string;
	JOB_AGE_S_MAX: string;
	JOB_KEPT_S: string;
	RUN_MS_MAX: string;
	ANSWER_BYTES_MAX: string;
	JOBS_SECRET: string;
	TENANT_JOBS: DurableObjectNamespace<import("./src/index").TenantJobs>;
	GATEWAY: Service /* entrypoint JobRuns from ledge-gateway */;
}
declare namespace Cloudflare {
	interface GlobalProps {
		mainModule: typeof import("./src/index");
		durableNamespaces: "TenantJobs";
	}
	interface Env extends __BaseEnv_Env {}
}
interface Env extends __BaseEnv_Env {}
type StringifyValues<EnvType extends Record<string, unknown>> = {
	[Binding in keyof EnvType]: EnvType[Binding] extends string ? EnvType[Binding] : string;
};
declare namespace NodeJS {
	interface ProcessEnv extends StringifyValues<Pick<Cloudflare.Env, "JOBS_WAITING_MAX" | "JOBS_RUNNING_MAX" | "JOBS_BYTES_MAX" | "JOB_AGE_S_MAX" | "JOB_KEPT_S" | "RUN_MS_MAX" | "ANSWER_BYTES_MAX" | "JOBS_SECRET">> {}
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