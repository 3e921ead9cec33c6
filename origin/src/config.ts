import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod/mini";
import { type BatchSettings, readBatchSettings } from "./batch/batch-settings.ts";
import { type FakeScript, fakeScript } from "./engines/fake/fake-script.ts";
import { type Provider, providers } from "./engines/onnx/providers.ts";
import { type RemoteSpec, readRemoteSpecs } from "./engines/remote-spec.ts";
import { settings } from "./settings.ts";

export interface Config {
  readonly host: string;
  /** 0 lets the system choose one; the ready line tells which. */
  readonly port: number;
  /** 0: metrics are not served. */
  readonly metricsPort: number;
  readonly secret: string;
  /** Whether the secret itself is taken too, in place of a signature. */
  readonly bearer: boolean;
  readonly modelsDir: string;
  /** Names to serve; `undefined` serves every package that names the tier `origin`. */
  readonly models: readonly string[] | undefined;
  /** The gateway, without a trailing slash; undefined: only what lies in `modelsDir` is served. */
  readonly registryUrl: string | undefined;
  readonly packagesDir: string;
  /** Where calls are written down; "" for nowhere. */
  readonly journalDir: string;
  readonly bodyBytesMax: number;
  readonly timeoutMs: number;
  readonly timeoutMsMax: number;
  readonly drainMs: number;
  readonly predictRunningMax: number;
  readonly predictWaitingMax: number;
  /** Whether and how calls of a model share runs. */
  readonly batching: BatchSettings;
  readonly chatRunningMax: number;
  readonly chatWaitingMax: number;
  readonly threads: number;
  /** Where ONNX graphs run. */
  readonly provider: Provider | "auto";
  readonly fakes: readonly FakeScript[];
  /** Engines that are servers of their own. */
  readonly remotes: readonly RemoteSpec[];
}

export type ConfigResult =
  | { readonly ok: true; readonly value: Config }
  /** One sentence for each fault: what is wrong and what to type. */
  | { readonly ok: false; readonly faults: readonly string[] };

/** Where the models lie beside this source tree. */
export const modelsDirDefault = fileURLToPath(new URL("../../models", import.meta.url));

type Env = Readonly<Record<string, string | undefined>>;

/** Reads the configuration from the environment. An empty variable counts as not set. Reports every fault at once. */
export function readConfig(env: Env): ConfigResult {
  const faults: string[] = [];
  const whole = (name: keyof typeof settings): number => {
    const { default: preset, min, max } = settings[name] as { default: number; min: number; max: number };
    const text = env[name] || String(preset);
    const value = /^[0-9]{1,12}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max))
      faults.push(`${name} is not a whole number from ${min} to ${max}: set it to one.`);
    return value;
  };
  const config: Config = {
    host: env.HOST || settings.HOST.default,
    port: whole("PORT"),
    metricsPort: whole("METRICS_PORT"),
    secret: secretOf(env.ORIGIN_SECRET, faults),
    bearer: bearerOf(env.ORIGIN_AUTH || settings.ORIGIN_AUTH.default, faults),
    modelsDir: env.MODELS_DIR || modelsDirDefault,
    models: namesOf(env.MODELS || settings.MODELS.default),
    registryUrl: urlOf(env.REGISTRY_URL, faults),
    packagesDir: env.PACKAGES_DIR || join(tmpdir(), "ledge-packages"),
    journalDir: env.JOURNAL_DIR || "",
    bodyBytesMax: whole("BODY_BYTES_MAX"),
    timeoutMs: whole("TIMEOUT_MS"),
    timeoutMsMax: whole("TIMEOUT_MS_MAX"),
    drainMs: whole("DRAIN_MS"),
    predictRunningMax: whole("PREDICT_RUNNING_MAX"),
    predictWaitingMax: whole("PREDICT_WAITING_MAX"),
    batching: readBatchSettings(env.BATCHING, faults),
    chatRunningMax: whole("CHAT_RUNNING_MAX"),
    chatWaitingMax: whole("CHAT_WAITING_MAX"),
    threads: whole("THREADS"),
    provider: providerOf(env.EXECUTION_PROVIDER || settings.EXECUTION_PROVIDER.default, faults),
    fakes: fakesOf(env.FAKE_MODELS, faults),
    remotes: readRemoteSpecs(env, faults),
  };
  return faults.length === 0 ? { ok: true, value: config } : { ok: false, faults };
}

function secretOf(secret: string | undefined, faults: string[]): string {
  if (!secret) {
    faults.push("ORIGIN_SECRET is not set: set it to the secret that the edge signs its requests with.");
  } else if (!/^[\x21-\x7e]{16,512}$/.test(secret)) {
    faults.push("ORIGIN_SECRET does not hold 16 to 512 printable ASCII characters without spaces: set a longer one.");
  }
  return secret ?? "";
}

function bearerOf(auth: string, faults: string[]): boolean {
  if (auth !== "signed" && auth !== "either")
    faults.push("ORIGIN_AUTH is neither 'signed' nor 'either': set it to one.");
  return auth === "either";
}

function urlOf(text: string | undefined, faults: string[]): string | undefined {
  if (!text) return undefined;
  const { protocol } = URL.canParse(text) ? new URL(text) : { protocol: "" };
  if (protocol !== "http:" && protocol !== "https:") {
    faults.push("REGISTRY_URL is no http or https address: set it to the gateway's, or leave it unset.");
  }
  return text.replace(/\/+$/, "");
}

function providerOf(text: string, faults: string[]): Provider | "auto" {
  const known = (["auto", ...providers] as const).find((name) => name === text);
  if (known === undefined) {
    faults.push(`EXECUTION_PROVIDER is none of auto, ${providers.join(", ")}: set it to one of them.`);
  }
  return known ?? "auto";
}

function namesOf(text: string): readonly string[] | undefined {
  if (text === "all") return undefined;
  if (text === "none") return [];
  return text.split(",").map((name) => name.trim());
}

function fakesOf(text: string | undefined, faults: string[]): readonly FakeScript[] {
  if (!text) return [];
  try {
    const checked = z.safeParse(z.array(fakeScript), JSON.parse(text));
    if (checked.success) return checked.data;
    for (const issue of checked.error.issues) {
      faults.push(
        `FAKE_MODELS at ${issue.path.join(".") || "its top"}: ${issue.message}; correct it or leave it unset.`,
      );
    }
  } catch {
    faults.push("FAKE_MODELS is not JSON: set it to an array of scripts or leave it unset.");
  }
  return [];
}
