/**
 * The edits that fit ONNX Runtime's published WebAssembly build (onnxruntime-web 1.30) to a Worker.
 *
 * Shared memory goes: only a threaded build is published. It imports a shared memory, which Cloudflare's runtime calls
 * unsupported (local workerd lets it pass, so nothing but these edits and their test protects a deployment). With one
 * thread nothing needs the sharing: outputs and speed are the same. A single-threaded build of our own would replace this.
 *
 * The module becomes a function: a WebAssembly memory never shrinks, so whoever wants memory back must let a whole
 * runtime go and start another (decision 6). `createRuntime(instantiate, pagesMax)` gives one with a memory of its own.
 */

const advice =
  "This onnxruntime-web is laid out differently: pin the version these edits were made for, or adapt them.";

interface GlueEdit {
  readonly what: string;
  readonly find: string;
  readonly replace: string;
  readonly times: number;
}

const glueEdits: readonly GlueEdit[] = [
  {
    // With a maximum of ours: a run that wants more fails by itself instead of taking the isolate along.
    what: "the creation of the runtime's memory",
    find: "new WebAssembly.Memory({initial:256,maximum:65536,shared:!0})",
    replace: "new WebAssembly.Memory({initial:256,maximum:ledgePagesMax})",
    times: 1,
  },
  {
    // Where the global is missing, the glue makes a shared memory only to get at the constructor, and never uses it.
    what: "the search for the SharedArrayBuffer constructor",
    find: "globalThis.SharedArrayBuffer??new WebAssembly.Memory({initial:0,maximum:0,shared:!0}).buffer.constructor",
    replace: "void 0",
    times: 1,
  },
  {
    // Its feature test must fail: on memory that is not shared the call throws, and a run never returns.
    what: "Atomics.waitAsync",
    find: "Atomics.waitAsync",
    replace: "Atomics.waitAsyncRemoved",
    times: 2,
  },
  {
    // Emscripten's own hook. Without it the glue compiles bytes, which a Worker may not.
    what: "the settings of the WebAssembly module",
    find: "let v={numThreads:a};",
    replace: "let v={numThreads:a,instantiateWasm:ledgeInstantiate};",
    times: 1,
  },
  {
    // By default the heap grows by a fifth of itself at least; here by what is asked, up to the next MiB.
    what: "the growth of the heap",
    find: "for(var i=1;4>=i;i*=2){var s=r*(1+.2/i);s=Math.min(s,e+100663296);",
    replace: "for(var i=1;4>=i;i*=2){var s=e+1048576;",
    times: 1,
  },
];

const exported = /export\{([^}]*)\};?\s*(?:\/\/# sourceMappingURL=\S+)?\s*$/;

/**
 * The glue without shared memory, as a module that exports `createRuntime(instantiate, pagesMax)`: each call
 * gives an `onnxruntime-web` with a memory of its own, of at most so many pages of 64 KiB.
 *
 * @throws Error naming the pattern that was not found exactly as often as expected.
 */
export function unshareGlue(source: string): string {
  let edited = source;
  for (const { what, find, replace, times } of glueEdits) {
    const parts = edited.split(find);
    if (parts.length - 1 !== times) {
      throw new Error(`Expected ${what} ${times}× in the glue, found it ${parts.length - 1}×. ${advice}`);
    }
    edited = parts.join(replace);
  }
  if (edited.includes("shared:!0")) throw new Error(`The glue still asks for shared memory somewhere. ${advice}`);
  return asFactory(edited);
}

/** Minified by its publisher, so its own exports are the last statement and there are no static imports. */
function asFactory(source: string): string {
  const found = exported.exec(source);
  if (found === null) throw new Error(`The glue does not end with its exports. ${advice}`);
  const names = (found[1] ?? "").split(",").map((pair) => {
    const [inner, outer] = pair.split(" as ");
    return `${outer ?? inner}:${inner}`;
  });
  return `export function createRuntime(ledgeInstantiate,ledgePagesMax){${source.slice(0, found.index)}return{${names.join(",")}}}\n`;
}

/**
 * The module with its imported memory declared unshared: limits flag 3 (maximum, shared) becomes 1 (maximum).
 *
 * @throws Error when the bytes are no WebAssembly or do not import exactly one memory with flag 3.
 */
export function unshareMemory(source: Uint8Array): Uint8Array<ArrayBuffer> {
  const memories = importedMemories(source);
  const [memory] = memories;
  if (memory === undefined || memories.length !== 1) {
    throw new Error(`Expected one imported memory in the WebAssembly module, found ${memories.length}. ${advice}`);
  }
  if (memory.flags !== 3) {
    throw new Error(`Expected the imported memory's limits flag to be 3 (shared), found ${memory.flags}. ${advice}`);
  }
  const edited = new Uint8Array(source);
  edited[memory.offset] = 1;
  return edited;
}

export interface ImportedMemory {
  /** Where the limits flag lies in the module, bytes. */
  readonly offset: number;
  /** 1: has a maximum. 2: shared. 4: 64-bit. (WebAssembly core, binary format, limits.) */
  readonly flags: number;
}

/** Every memory the module imports. */
export function importedMemories(module: Uint8Array): ImportedMemory[] {
  const magic = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  if (!magic.every((byte, at) => module[at] === byte)) throw new Error("These bytes are not a WebAssembly module.");
  const reader = new Reader(module, magic.length);
  while (!reader.atEnd()) {
    const id = reader.byte();
    const size = reader.u32();
    if (id === 2) return readImports(reader);
    reader.skip(size);
  }
  return [];
}

function readImports(reader: Reader): ImportedMemory[] {
  const memories: ImportedMemory[] = [];
  for (let left = reader.u32(); left > 0; left--) {
    reader.skip(reader.u32()); // module name
    reader.skip(reader.u32()); // field name
    const kind = reader.byte();
    if (kind === 0) reader.u32();
    else if (kind === 1) {
      reader.byte();
      reader.limits();
    } else if (kind === 2) memories.push({ offset: reader.at, flags: reader.limits() });
    else if (kind === 3) reader.skip(2);
    else if (kind === 4) {
      reader.byte();
      reader.u32();
    } else throw new Error(`The import section holds a kind these edits do not know: ${kind}. ${advice}`);
  }
  return memories;
}

class Reader {
  readonly #bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  atEnd(): boolean {
    return this.at >= this.#bytes.length;
  }

  byte(): number {
    const byte = this.#bytes[this.at++];
    if (byte === undefined) throw new Error("The WebAssembly module ends in the middle of a section.");
    return byte;
  }

  /** LEB128. Bounds of memories fit 53 bits, so plain arithmetic does. */
  u32(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }

  skip(bytes: number): void {
    this.at += bytes;
  }

  /** Reads limits and returns their flag. */
  limits(): number {
    const flags = this.byte();
    this.u32();
    if ((flags & 1) === 1) this.u32();
    return flags;
  }
}
