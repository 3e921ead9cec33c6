import { PlainRows, type Rows, type RowsInstance, WasmRows } from "@ledge/policy";
import wasm from "@ledge/policy/rows.wasm";

/**
 * Rows for one index, in a memory of WebAssembly of its own. Each such memory takes gigabytes of addresses, whatever is in it: where
 * none are left, in an isolate of very many indexes, plain JavaScript does the same more slowly.
 */
export function newRows(dimensions: number): Rows {
  try {
    return new WasmRows(dimensions, () => new WebAssembly.Instance(wasm).exports as unknown as RowsInstance);
  } catch (cause) {
    console.warn(JSON.stringify({ semanticIndex: "no memory of WebAssembly is left", cause: String(cause) }));
    return new PlainRows(dimensions);
  }
}
