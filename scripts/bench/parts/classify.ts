import { compare, medianOf } from "../compare.ts";
import { type Outcome, rowOf } from "../outcome.ts";
import { connections, type Plan } from "../plan.ts";
import type { RunningWorkerd } from "../workerd.ts";
import { askOnce, predictBody, predictCall, targetsOf, type World } from "../world.ts";
import { measureNative } from "./native.ts";

/** A model run in the inference Worker: by itself, behind the whole gateway, and the same graph in native code. */
export async function measureClassify(world: World, workerd: RunningWorkerd, plan: Plan): Promise<Outcome> {
  const { classify } = targetsOf(world, workerd);
  const { input } = JSON.parse(predictBody) as { readonly input: string };
  const rpc = { url: `${workerd.url("caller")}/`, headers: {}, body: JSON.stringify(predictCall), expect: [] };
  await askOnce(rpc);
  const { pid } = workerd;
  const sides = [
    { name: "e  inference Worker by RPC, one caller", job: { ...rpc, connections: 1 }, pid },
    { name: "e  through the gateway, no-store, one caller", job: { ...classify, connections: 1 }, pid },
    { name: `e  inference Worker by RPC, ${connections} callers`, job: { ...rpc, connections }, pid },
    { name: `e  through the gateway, ${connections} callers`, job: { ...classify, connections }, pid },
  ];
  const measured = await compare(world.generator, sides, plan);
  const native = await measureNative(input, plan.rounds * plan.roundSeconds * 0.25);
  const alone = measured[0];
  const times = alone === undefined ? Number.NaN : medianOf(alone, (round) => round.latencyMsP50) / native.latencyMsP50;
  return {
    rows: [...measured.map(rowOf), native],
    aims: [{ name: "(e) RPC p50 ÷ native p50, one caller", aim: "–", reached: `${times.toFixed(1)} ×` }],
    facts: [
      {
        name: "e  of an RPC answer, the model's run itself",
        value: `${(await runMs(rpc)).toFixed(2)} ms, mean of ${runsAsked}`,
      },
    ],
    rounds: measured,
  };
}

const runsAsked = 1_000;

/**
 * Milliseconds that ONNX Runtime takes in WebAssembly. The Worker's clock ticks in whole milliseconds, longer than a run
 * takes: single readings are 0 or 1, and only their mean says something.
 */
async function runMs(rpc: Parameters<typeof askOnce>[0]): Promise<number> {
  let sum = 0;
  for (let run = 0; run < runsAsked; run++) {
    const answer = JSON.parse(await askOnce(rpc)) as {
      readonly value: { readonly timings: { readonly runMs: number } };
    };
    sum += answer.value.timings.runMs;
  }
  return sum / runsAsked;
}
