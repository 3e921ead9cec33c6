import { readFileSync } from "node:fs";
import { type RowsInstance, WasmRows } from "@ledge/policy";

/** Node has it, its types do not. */
const { WebAssembly } = globalThis as unknown as {
  readonly WebAssembly: {
    readonly Module: new (bytes: Uint8Array) => object;
    readonly Instance: new (module: object) => { readonly exports: unknown };
  };
};

const file = new URL("../../packages/policy/src/nearest/rows.wasm", import.meta.url);
const wasm = new WebAssembly.Module(readFileSync(file));

/** As the semantic Worker makes them. */
export function wasmRows(dimensions: number): WasmRows {
  return new WasmRows(dimensions, () => new WebAssembly.Instance(wasm).exports as RowsInstance);
}
