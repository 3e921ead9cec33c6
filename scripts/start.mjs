// Plain JavaScript of the kind every Node runs: it says in one sentence that a Node is too old, instead of a stack of
// syntax errors. `npm start` normally runs the Node that `npm install` brought along.
const wanted = [22, 18];
const [major, minor] = process.versions.node.split(".").map(Number);

if (major < wanted[0] || (major === wanted[0] && minor < wanted[1])) {
  console.error(
    `Ledge needs Node ${wanted.join(".")} or newer and this is ${process.versions.node}: run 'npm install' and then 'npm start', which brings its own.`,
  );
  process.exit(1);
}
const { main } = await import("./start.ts");
process.exitCode = await main(process.argv.slice(2));
