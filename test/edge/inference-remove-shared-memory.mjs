delete globalThis.SharedArrayBuffer;

const Memory = WebAssembly.Memory;
WebAssembly.Memory = new Proxy(Memory, {
  construct(target, [limits]) {
    if (limits.shared) throw new TypeError("This runtime has no shared memory.");
    return new target(limits);
  },
});
