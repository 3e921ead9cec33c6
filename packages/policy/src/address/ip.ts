/** An IP address as its bytes: 4 of IPv4, 16 of IPv6. An IPv4 address written inside IPv6 (`::ffff:1.2.3.4`) is the IPv4 one. */
export type IpBytes = readonly number[];

/** `undefined` for what is no address. Only the plain forms are read: no octal, no shortened IPv4, no zone. */
export function ipOf(text: string): IpBytes | undefined {
  if (!text.includes(":")) return ipv4Of(text);
  const bytes = ipv6Of(text);
  if (bytes === undefined) return undefined;
  const mapped = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255;
  return mapped ? bytes.slice(12) : bytes;
}

function ipv4Of(text: string): IpBytes | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9][0-9]{0,2})$/.test(part))) return undefined;
  const bytes = parts.map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : undefined;
}

function ipv6Of(text: string): IpBytes | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map(groupsOf);
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  if (tail === undefined) return head.length === 16 ? head : undefined;
  const gap = 16 - head.length - tail.length;
  return gap < 2 ? undefined : [...head, ...Array.from({ length: gap }, () => 0), ...tail];
}

/** Groups of up to four hex digits, the last of which may be an IPv4 address. */
function groupsOf(text: string): number[] | undefined {
  if (text === "") return [];
  const groups = text.split(":");
  const bytes: number[] = [];
  for (const [i, group] of groups.entries()) {
    const ipv4 = i === groups.length - 1 && group.includes(".") ? ipv4Of(group) : undefined;
    if (ipv4 !== undefined) bytes.push(...ipv4);
    else if (/^[0-9a-fA-F]{1,4}$/.test(group))
      bytes.push(Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255);
    else return undefined;
  }
  return bytes;
}

/** A block of addresses: `10.0.0.0/8`, `2001:db8::/32`, or one address. */
export interface IpBlock {
  readonly bytes: IpBytes;
  readonly bits: number;
}

/** `undefined` for what is no block. */
export function ipBlockOf(text: string): IpBlock | undefined {
  const [address = "", length, ...rest] = text.split("/");
  const bytes = ipOf(address);
  if (bytes === undefined || rest.length > 0) return undefined;
  const all = bytes.length * 8;
  if (length === undefined) return { bytes, bits: all };
  // The length of a block inside ::ffff:0:0/96 counts from the front of IPv6.
  const bits = /^(?:0|[1-9][0-9]{0,2})$/.test(length)
    ? Number(length) - (all === 32 && address.includes(":") ? 96 : 0)
    : -1;
  return bits >= 0 && bits <= all ? { bytes, bits } : undefined;
}

export function isInBlock(address: IpBytes, { bytes, bits }: IpBlock): boolean {
  if (address.length !== bytes.length) return false;
  return bytes.every((byte, i) => {
    const kept = Math.min(8, Math.max(0, bits - i * 8));
    return (byte ^ (address[i] ?? 0)) >> (8 - kept) === 0;
  });
}

/** Whether a caller's address is in any of the blocks. One that cannot be read is in none. */
export function isAddressIn(address: string | null, blocks: readonly string[]): boolean {
  const bytes = address === null ? undefined : ipOf(address);
  if (bytes === undefined) return false;
  return blocks.some((text) => {
    const block = ipBlockOf(text);
    return block !== undefined && isInBlock(bytes, block);
  });
}
