/**
 * The semantic Worker: the Durable Object that finds prompts by their meaning, and the rules that tell near ones apart. Only the
 * gateway reaches it, by its binding of the class (docs/decisions/0011-semantic-index.md).
 */

export { SemanticIndex } from "./platform/durable/semantic-index.ts";

/** Not public: whoever reaches this Worker over HTTP finds nothing. */
export default { fetch: () => new Response(null, { status: 404 }) };
