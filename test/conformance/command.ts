/** `npm run conformance`: see docs/conformance.md. */

const suites = {
  cache: () => import("./cache/command.ts"),
  limits: () => import("./limits/command.ts"),
};

function isSuite(name: string | undefined): name is keyof typeof suites {
  return name !== undefined && Object.hasOwn(suites, name);
}

async function main(args: readonly string[]): Promise<number> {
  const at = args.indexOf("--suite");
  const name = at < 0 ? "cache" : args[at + 1];
  if (!isSuite(name)) {
    console.error(`--suite takes ${Object.keys(suites).join(" or ")}, not '${name ?? ""}'.`);
    return 2;
  }
  const suite = await suites[name]();
  return await suite.main(at < 0 ? args : args.toSpliced(at, 2));
}

process.exitCode = await main(process.argv.slice(2));
