/** What we use of Node's crypto that Workers' node compatibility gives us; the full Node types clash with Workers'. */
declare module "node:crypto" {
  export function hash(algorithm: "sha256", data: string | Uint8Array, encoding: "hex"): string;
  export function timingSafeEqual(a: Uint8Array, b: Uint8Array): boolean;
  export function createHmac(algorithm: "sha256", key: string): Hmac;
  interface Hmac {
    update(data: string): Hmac;
    digest(encoding: "hex"): string;
  }
}
