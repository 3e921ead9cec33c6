import {
  cacheEntryBytesMax,
  canonicalJson,
  fromBinary,
  type Tensor,
  type Tensors,
  type Tier,
  toBinary,
} from "@ledge/contract";
import { fromBase64, toBase64 } from "../base64.ts";
import type { Inference, TensorsCall } from "../exchange.ts";
import type { Form } from "./answers.ts";

/** Tensors in the answer cache: as a part of a call's identity, and as an answer that is kept. */

/** Larger answers are never kept: bytes of all outputs, which are a third more in the JSON. What a policy allows is less or the same. */
const keptBytesMax = (cacheEntryBytesMax * 3) / 4;

/**
 * What of a call can change its answer. Tensors by the hash of their bytes, so that the JSON and the binary form of one
 * call share an entry.
 */
export function tensorsText({ inputs, outputs }: TensorsCall, sha256Hex: (bytes: Uint8Array) => string): string {
  const hashed = Object.entries(inputs).map(([name, tensor]) => {
    return [name, tensor.datatype, tensor.shape, sha256Hex(toBinary(tensor))] as const;
  });
  hashed.sort(([a], [b]) => (a < b ? -1 : 1));
  return canonicalJson([hashed, outputs ?? null]);
}

/** An answer as it is kept: plain JSON. */
interface InferenceRecord {
  readonly tier: Tier;
  readonly outputs: readonly {
    readonly name: string;
    readonly datatype: Tensor["datatype"];
    readonly shape: readonly number[];
    readonly base64: string;
  }[];
}

/** Tensors in the answer cache. */
export const tensorsForm: Form<Inference> = {
  record({ outputs, tier }): InferenceRecord | undefined {
    const parts = Object.entries(outputs).map(([name, tensor]) => ({ name, tensor, bytes: toBinary(tensor) }));
    if (parts.reduce((sum, { bytes }) => sum + bytes.length, 0) > keptBytesMax) return undefined;
    const kept = parts.map(({ name, tensor: { datatype, shape }, bytes }) => {
      return { name, datatype, shape, base64: toBase64(bytes) };
    });
    return { tier, outputs: kept };
  },
  read(kept) {
    const { outputs, tier } = kept as InferenceRecord;
    const tensors: [string, Tensor][] = [];
    for (const { name, datatype, shape, base64 } of outputs) {
      const bytes = fromBase64(base64);
      const tensor = bytes && fromBinary({ name, datatype, shape }, bytes);
      if (tensor?.ok !== true) return undefined;
      tensors.push([name, tensor.value]);
    }
    const read: Tensors = Object.fromEntries(tensors);
    return { outputs: read, tier };
  },
};
