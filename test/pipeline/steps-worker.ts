import type { ModelManifest, PredictInput } from "@ledge/contract";
import { createServable } from "@ledge/pipeline";

export interface StepsCall {
  readonly manifest: ModelManifest;
  /** Texts of the package's files by path. */
  readonly files: Readonly<Record<string, string>>;
  readonly inputs: readonly PredictInput[];
}

/** A Worker that prepares inputs, so that a test sees the steps where they run: in workerd, without Node's layer. */
export default {
  async fetch(request: Request): Promise<Response> {
    const { manifest, files, inputs } = (await request.json()) as StepsCall;
    const bytes = Object.entries(files).map(([path, text]) => [path, new TextEncoder().encode(text)] as const);
    const servable = createServable({
      manifest,
      files: new Map(bytes),
      run: async () => ({ ok: false, fault: { code: "upstream_failed" } }),
    });
    if (!servable.ok) return Response.json(servable, { status: 500 });
    return new Response(JSON.stringify(inputs.map(servable.value.prepare), plainNumbers));
  },
};

/** Typed arrays as lists of numbers. */
export function plainNumbers(_key: string, value: unknown): unknown {
  return ArrayBuffer.isView(value) ? Array.from(value as unknown as ArrayLike<number | bigint>, Number) : value;
}
