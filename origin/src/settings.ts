interface Text {
  readonly default: string;
  readonly help: string;
}

interface Whole {
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly help: string;
}

/** Every environment variable the origin reads: one table for reading, checking and `--help`. */
export const settings = {
  ORIGIN_SECRET: { default: "", help: "required: the secret that the edge signs its requests with" },
  ORIGIN_AUTH: {
    default: "signed",
    help: "'signed' takes signed requests alone; 'either' also 'Authorization: Bearer <ORIGIN_SECRET>'",
  },
  HOST: { default: "127.0.0.1", help: "address to listen on" },
  PORT: { default: 8788, min: 0, max: 65_535, help: "port to listen on; 0 lets the system choose" },
  METRICS_PORT: {
    default: 0,
    min: 0,
    max: 65_535,
    help: "port of /metrics for Prometheus, without the secret; 0: none",
  },
  MODELS_DIR: {
    default: "",
    help: "folder of model packages, <name>/<version>/model.json (default: models/ beside origin/)",
  },
  REGISTRY_URL: { default: "", help: "the gateway, to fetch registered packages from when they are first asked for" },
  PACKAGES_DIR: {
    default: "",
    help: "where fetched packages are kept (default: ledge-packages in the system's temporary folder)",
  },
  JOURNAL_DIR: {
    default: "",
    help: "where it is written down which calls were answered, to reconcile ledgers with (default: nowhere)",
  },
  MODELS: { default: "all", help: "names to serve, split by commas; 'all' or 'none'" },
  BODY_BYTES_MAX: { default: 1_048_576, min: 1024, max: 67_108_864, help: "largest request body, bytes" },
  TIMEOUT_MS: { default: 60_000, min: 1, max: 3_600_000, help: "deadline of a request that names none, milliseconds" },
  TIMEOUT_MS_MAX: {
    default: 300_000,
    min: 1,
    max: 3_600_000,
    help: "longest deadline a request may name, milliseconds",
  },
  DRAIN_MS: {
    default: 10_000,
    min: 0,
    max: 600_000,
    help: "how long running requests may finish after SIGTERM, milliseconds",
  },
  PREDICT_RUNNING_MAX: {
    default: 1,
    min: 1,
    max: 1024,
    help: "runs of a graph at once, each of a call or of calls that share it",
  },
  PREDICT_WAITING_MAX: { default: 256, min: 0, max: 100_000, help: "calls that may wait for a graph" },
  BATCHING: {
    default: "",
    help: "JSON object of how calls of a model share runs (docs/origin.md), or the path of a file that holds one",
  },
  CHAT_RUNNING_MAX: { default: 4, min: 1, max: 1024, help: "generations a chat model works on at once" },
  CHAT_WAITING_MAX: { default: 16, min: 0, max: 100_000, help: "generations that may wait for a chat model" },
  // Measured: models this small run no faster on two threads, and on a busy machine waiting threads cost half the speed.
  THREADS: { default: 1, min: 1, max: 256, help: "threads of ONNX Runtime for one call" },
  EXECUTION_PROVIDER: {
    default: "auto",
    help: "where ONNX graphs run: cpu, cuda, tensorrt or webgpu; auto goes by what the machine has",
  },
  ENGINES: {
    default: "",
    help: "JSON array of servers that are engines (docs/origin.md), or the path of a file that holds one",
  },
  FAKE_MODELS: { default: "", help: "JSON array of scripted chat models, to rehearse slow and failing engines" },
} as const satisfies Record<string, Text | Whole>;

export const usage = `Usage: node origin/src/index.ts [--help]

The Ledge origin answers /v1/predict, /v1/chat/completions and raw tensors at /v2 for the gateway, from models of its own.
It is set up by environment variables:

${Object.entries(settings)
  .map(
    ([name, setting]) => `  ${name.padEnd(20)} ${setting.help}${setting.default === "" ? "" : ` [${setting.default}]`}`,
  )
  .join("\n")}

Once every model is loaded it prints one line of JSON: {"ready":true,"url":…}.
`;
