/** What was asked of each binding since that was last looked at, by binding and method. */
const work = new Map();

export function workHere() {
  const found = Object.fromEntries(work);
  work.clear();
  return found;
}

/** The same bindings, counting. Texts and numbers stay what they are. */
export function counted(env, prefix) {
  const bindings = Object.entries(env).map(([name, binding]) => {
    return [name, typeof binding === "object" && binding !== null ? countedCalls(binding, prefix + name) : binding];
  });
  return Object.fromEntries(bindings);
}

/** Methods of a namespace that only make a way to an object. */
const ways = new Set(["get", "getByName", "jurisdiction"]);
const names = new Set(["idFromName", "idFromString", "newUniqueId"]);

function countedCalls(binding, name) {
  const isNamespace = typeof binding.idFromName === "function" && typeof binding.getByName === "function";
  return new Proxy(binding, {
    get(target, method) {
      const value = target[method];
      if (typeof value !== "function" || typeof method !== "string" || method === "then") return value;
      return (...args) => {
        if (isNamespace && ways.has(method)) return countedCalls(target[method](...args), name);
        if (!(isNamespace && names.has(method))) {
          const what = `${name}.${method}`;
          work.set(what, (work.get(what) ?? 0) + 1);
        }
        return target[method](...args);
      };
    },
  });
}
