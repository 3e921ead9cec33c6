/** What we use of Node's crypto that Workers' node compatibility gives us; the full Node types clash with Workers'. */
declare module "node:crypto" {
  export function hash(algorithm: "sha256", data: Uint8Array, encoding: "hex"): string;
}
