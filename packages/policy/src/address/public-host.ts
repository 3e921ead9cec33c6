import { type IpBlock, ipBlockOf, ipOf, isInBlock } from "./ip.ts";

/** Addresses that are not the public internet's: private, loopback, link-local (and so cloud metadata), shared, reserved. */
const closedBlocks = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/3",
  // All of IPv6 but 2000::/3, and in that: Teredo, documentation, 6to4.
  "::/3",
  "4000::/2",
  "8000::/1",
  "2001::/32",
  "2001:db8::/32",
  "2002::/16",
].flatMap((text): readonly IpBlock[] => {
  const block = ipBlockOf(text);
  return block === undefined ? [] : [block];
});

/** Names that a resolver inside a network answers with an address of that network. */
const closedNames =
  /^(?:localhost|[^.]+)$|\.(?:localhost|local|internal|intranet|private|corp|home|lan|arpa|test|invalid|onion)$/;

/**
 * Whether a host may be fetched from on somebody's word: a name or an address of the public internet. `hostname` is a parsed
 * URL's, so odd spellings of an address are plain by then. A name's address is not looked up: where that matters, the network
 * has to refuse (`docs/security.md`).
 */
export function isPublicHost(hostname: string): boolean {
  const host = hostname.toLowerCase().replace(/\.$/, "");
  const address = ipOf(host.replace(/^\[(.*)\]$/, "$1"));
  if (address !== undefined) return !closedBlocks.some((block) => isInBlock(address, block));
  return /^[a-z0-9._-]+$/.test(host) && !closedNames.test(host) && !/^[0-9.x]+$/.test(host);
}
