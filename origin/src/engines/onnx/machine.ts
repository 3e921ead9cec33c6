import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Machine } from "./providers.ts";

/** Looks at what this machine has, without touching a device: a driver that hangs must not keep the origin from starting. */
export async function lookAtMachine(): Promise<Machine> {
  const nvidia = namesIn("/dev").includes("nvidiactl") || process.platform === "win32";
  const desktop = process.platform === "darwin" || process.platform === "win32";
  const graphics = desktop || namesIn("/dev/dri").some((name) => name.startsWith("renderD"));
  const libraries = namesIn(librariesDir()).join();
  return {
    nvidia,
    graphics,
    libraries: {
      cuda: libraries.includes("onnxruntime_providers_cuda"),
      tensorrt: libraries.includes("onnxruntime_providers_tensorrt"),
    },
  };
}

function librariesDir(): string {
  const entry = createRequire(import.meta.url).resolve("onnxruntime-node");
  return join(dirname(entry), "..", "bin", "napi-v6", process.platform, process.arch);
}

function namesIn(dir: string): readonly string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
