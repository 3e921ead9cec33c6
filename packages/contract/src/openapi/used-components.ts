/** Components of a description, by kind and name. */
type Components = Readonly<Record<string, Readonly<Record<string, object>>>>;

/** Those that `root` refers to, themselves or by way of one another; kinds of which none is used are left out. */
export function usedComponents(components: Components, root: object): Components {
  const used = new Set(refsIn(root));
  for (const ref of used) {
    const [kind = "", name = ""] = ref.split("/").slice(2);
    for (const further of refsIn(components[kind]?.[name])) used.add(further);
  }
  const kept = Object.entries(components).map(([kind, named]) => {
    const entries = Object.entries(named).filter(([name]) => used.has(`#/components/${kind}/${name}`));
    return [kind, Object.fromEntries(entries)] as const;
  });
  return Object.fromEntries(kept.filter(([, named]) => Object.keys(named).length > 0));
}

function refsIn(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) =>
    key === "$ref" && typeof child === "string" ? [child] : refsIn(child),
  );
}
