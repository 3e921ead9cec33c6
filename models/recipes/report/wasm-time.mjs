/**
 * Times graphs in onnxruntime-web (one thread, WebAssembly) under Node, in turn. CPU time, so other work on the machine counts little.
 *
 *   node models/recipes/report/wasm-time.mjs TOKENS A.onnx B.onnx …
 *
 * The graphs take `input_ids` int32 [batch, TOKENS]. Prints one JSON object: per file, median CPU milliseconds of a call at batch 1 and 8.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

// The runtime that the inference Worker declares.
const ort = createRequire(new URL("../../../workers/inference/package.json", import.meta.url))("onnxruntime-web/wasm");

const ROUNDS = 60;
ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";

const [tokens, ...paths] = process.argv.slice(2);
const length = Number(tokens);
if (!Number.isInteger(length) || length < 1 || paths.length === 0) {
  console.error("usage: node wasm-time.mjs TOKENS FILE.onnx …");
  process.exit(2);
}

const sessions = [];
for (const path of paths) {
  sessions.push(await ort.InferenceSession.create(readFileSync(path), { executionProviders: ["wasm"] }));
}

const found = Object.fromEntries(paths.map((path) => [path, {}]));
for (const batch of [1, 8]) {
  const ids = Int32Array.from({ length: batch * length }, (_, i) => 5 + ((i * 7919) % 4000));
  const times = paths.map(() => []);
  for (let round = 0; round < ROUNDS + 3; round++) {
    for (const [at, session] of sessions.entries()) {
      const began = process.cpuUsage();
      await session.run({ input_ids: new ort.Tensor("int32", ids, [batch, length]) });
      const { user, system } = process.cpuUsage(began);
      if (round >= 3) times[at].push((user + system) / 1000);
    }
  }
  for (const [at, path] of paths.entries()) {
    found[path][batch] = Number(times[at].sort((a, b) => a - b)[ROUNDS / 2].toFixed(3));
  }
}
console.log(JSON.stringify(found));
