import { runEdge } from "../../edge/run.ts";

/** A process of its own that starts the edge as `npm start` does: gets the variables, says where it listens. */
process.once("message", async ({ vars, identity }: Record<"vars" | "identity", Record<string, string>>) => {
  const edge = await runEdge({ vars: { gateway: vars, operator: vars, dispatch: vars, identity } });
  process.once("disconnect", async () => {
    await edge.close();
    process.exit(0);
  });
  process.send?.(edge.url);
});
