import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { deployDir, type Manifest } from "../../scripts/deploy/manifests.ts";
import { Cluster, type ScaledSpec } from "./cluster.ts";

const eu = new Cluster("eu");
const us = new Cluster("us");

/** The paths at which two values differ. */
function differences(a: unknown, b: unknown, at = ""): readonly string[] {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b ? [] : [at];
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].flatMap((key) =>
    differences((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key], `${at}/${key}`),
  );
}

/** A generated name without the hash of its content. */
function nameOf({ kind, metadata }: Manifest): string {
  return `${kind} ${metadata.name.replace(/^(tunnel-config)-\w+$/, "$1")}`;
}

test("regions have the same objects, and differ in sizes, hostnames and their tunnel alone", () => {
  expect(eu.objects.map(nameOf)).toEqual(us.objects.map(nameOf));
  const found = eu.objects.flatMap((object, at) =>
    differences(object, us.objects[at]).map((path) => `${nameOf(object)} ${path}`),
  );
  expect(found.sort()).toEqual([
    "ConfigMap tunnel-config /data/config.yaml",
    "ConfigMap tunnel-config /metadata/name",
    "Deployment triton /spec/replicas",
    "Deployment tunnel /spec/template/spec/volumes/0/configMap/name",
    "HTTPRoute vllm /spec/hostnames/0",
    "ScaledObject origin /spec/maxReplicaCount",
    "ScaledObject origin /spec/minReplicaCount",
    "ScaledObject vllm /spec/maxReplicaCount",
    "ScaledObject vllm /spec/minReplicaCount",
  ]);
});

interface Tunnel {
  readonly tunnel: string;
  readonly "credentials-file": string;
  readonly ingress: readonly { readonly hostname?: string; readonly service: string }[];
}

function tunnelOf(cluster: Cluster): Tunnel {
  const [config] = cluster.all("ConfigMap").filter(({ metadata }) => metadata.name.startsWith("tunnel-config-"));
  return parse(cluster.configMap(config?.metadata.name ?? "")["config.yaml"] ?? "");
}

test.each([eu, us])(
  "the tunnel leads to Services that are there, at their ports, and anything else to a 404",
  (cluster) => {
    const { ingress } = tunnelOf(cluster);
    const leading = ingress.filter(({ hostname }) => hostname !== undefined);
    expect(leading).toHaveLength(2);
    for (const { service } of leading) {
      const { hostname, port } = new URL(service);
      const { ports } = cluster.one<{ ports: { port: number }[] }>("Service", hostname).spec;
      expect(ports.map((each) => String(each.port))).toContain(port);
    }
    expect(ingress.at(-1)).toEqual({ service: "http_status:404" });
  },
);

interface Pool {
  readonly region: "eu" | "us";
  readonly origins: readonly { readonly name: string; readonly url: string; readonly weight: number }[];
}

const pools = JSON.parse(readFileSync(join(deployDir, "overlays", "origins.json"), "utf8")) as readonly Pool[];

test("the edge is given each region's origin at the hostname that its tunnel serves", () => {
  expect(pools.map(({ region }) => region)).toEqual(["eu", "us"]);
  for (const { region, origins } of pools) {
    const { ingress } = tunnelOf(region === "eu" ? eu : us);
    for (const { url } of origins) {
      const { protocol, hostname } = new URL(url);
      expect(protocol).toBe("https:");
      expect(ingress).toContainEqual({ hostname, service: "http://origin:8788" });
    }
  }
});

test("a region's weight is to another's as the sizes to which they grow", () => {
  const [first, second] = pools.map(({ region, origins }) => {
    const { maxReplicaCount } = (region === "eu" ? eu : us).one<ScaledSpec>("ScaledObject", "origin").spec;
    return origins.reduce((sum, { weight }) => sum + weight, 0) / maxReplicaCount;
  });
  expect(first).toBe(second);
});
