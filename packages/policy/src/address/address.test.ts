import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ipOf, isAddressIn } from "./ip.ts";
import { isPublicHost } from "./public-host.ts";

const hostOf = (url: string) => new URL(url).hostname;

describe("an address in a block", () => {
  test.each([
    ["10.1.2.3", "10.0.0.0/8", true],
    ["11.1.2.3", "10.0.0.0/8", false],
    ["192.168.1.129", "192.168.1.128/25", true],
    ["192.168.1.127", "192.168.1.128/25", false],
    ["8.8.8.8", "8.8.8.8", true],
    ["8.8.8.9", "8.8.8.8/32", false],
    ["1.2.3.4", "0.0.0.0/0", true],
    ["2001:db8::1", "2001:db8::/32", true],
    ["2001:db9::1", "2001:db8::/32", false],
    ["::ffff:10.1.2.3", "10.0.0.0/8", true],
    ["10.1.2.3", "::ffff:10.0.0.0/104", true],
    ["2001:db8::1", "10.0.0.0/8", false],
    ["10.1.2.3", "::/0", false],
    ["10.1.2", "10.0.0.0/8", false],
    ["010.1.2.3", "10.0.0.0/8", false],
    ["10.1.2.3", "10.0.0.0/33", false],
    ["10.1.2.3", "10.0.0.0/", false],
    ["", "0.0.0.0/0", false],
  ])("%s in %s: %s", (address, block, inside) => expect(isAddressIn(address, [block])).toBe(inside));

  test("is never found for a caller without one", () => expect(isAddressIn(null, ["0.0.0.0/0", "::/0"])).toBe(false));

  test("is the same however IPv6 is shortened", () => {
    const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
        const long = groups.map((value) => value.toString(16)).join(":");
        const short = hostOf(`http://[${long}]/`).slice(1, -1);
        expect(ipOf(short)).toEqual(ipOf(long));
      }),
    );
  });
});

describe("a host that may be fetched from", () => {
  test.each([
    "http://127.0.0.1/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://0177.0.0.1/",
    "http://127.1/",
    "http://0.0.0.0/",
    "http://10.0.0.7/",
    "http://172.31.255.255/",
    "http://192.168.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://100.100.100.200/",
    "http://[::1]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[fe80::1]/",
    "http://[fd00:ec2::254]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://localhost/",
    "http://localhost./",
    "http://a.localhost/",
    "http://metadata/",
    "http://metadata.google.internal/",
    "http://printer.local/",
    "http://service.namespace.svc.cluster.local/",
    "http://255.255.255.255/",
    "http://224.0.0.1/",
  ])("is none of a private network: %s", (url) => expect(isPublicHost(hostOf(url))).toBe(false));

  test.each([
    "https://login.example.com/",
    "https://8.8.8.8/",
    "https://[2606:4700:4700::1111]/",
    "https://bücher.example.org/",
  ])("is one of the public internet: %s", (url) => expect(isPublicHost(hostOf(url))).toBe(true));
});
