#!/usr/bin/env node
// Plain JavaScript of the kind every Node runs, so that a Node that is too old gets a sentence and not a stack.
const wanted = [22, 18];
const [major, minor] = process.versions.node.split(".").map(Number);

if (major < wanted[0] || (major === wanted[0] && minor < wanted[1])) {
  console.error(
    `Ledge needs Node ${wanted.join(".")} or newer and this is ${process.versions.node}: type 'npx ledge …' in the checkout, which runs the Node that 'npm install' brought along.`,
  );
  process.exit(1);
}
const { main } = await import("../src/main.ts");
process.exitCode = await main(process.argv.slice(2));
