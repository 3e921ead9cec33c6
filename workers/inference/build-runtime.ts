/**
 * What `build.command` in wrangler.jsonc imports by package name: wrangler runs it in whatever folder it was started
 * from, so a relative path would break `wrangler deploy -c workers/inference/wrangler.jsonc`.
 */
import { buildRuntime } from "../../scripts/build-runtime.ts";

buildRuntime();
