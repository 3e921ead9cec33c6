import { expect, test } from "vitest";
import { Cluster } from "./cluster.ts";
import { leaves, type Pod, podOf, reaches } from "./reach.ts";

const regions = [new Cluster("eu"), new Cluster("us")];
const somebody: Pod = { namespace: "ledge", labels: { "app.kubernetes.io/name": "somebody" } };
const elsewhere: Pod = { namespace: "default", labels: { "app.kubernetes.io/name": "tunnel" } };
const prometheus: Pod = { namespace: "monitoring", labels: {} };
const gateway: Pod = { namespace: "gateways", labels: {} };

test.each(regions)("only the tunnel reaches the origin, and Prometheus its metrics alone", (cluster) => {
  for (const name of ["origin", "origin-batch"]) {
    const origin = podOf(cluster.workload(name));
    expect(reaches(cluster, podOf(cluster.workload("tunnel")), origin, 8788)).toBe(true);
    const others = cluster.workloads().filter((workload) => workload.name !== "tunnel");
    for (const other of [...others.map(podOf), somebody, elsewhere, prometheus, gateway])
      expect(reaches(cluster, other, origin, 8788)).toBe(false);
    expect(reaches(cluster, prometheus, origin, 9464)).toBe(true);
    for (const other of [...cluster.workloads().map(podOf), somebody, elsewhere, gateway])
      expect(reaches(cluster, other, origin, 9464)).toBe(false);
  }
});

test.each(regions)("the origin reaches engines and nothing else", (cluster) => {
  const origin = podOf(cluster.workload("origin"));
  expect(reaches(cluster, origin, podOf(cluster.workload("vllm")), 8000)).toBe(true);
  expect(reaches(cluster, origin, podOf(cluster.workload("triton")), 8000)).toBe(true);
  expect(reaches(cluster, origin, podOf(cluster.workload("triton")), 8001)).toBe(true);
  for (const name of ["tunnel", "origin-batch", "endpoint-picker"])
    for (const port of [80, 443, 2000, 8788, 9002])
      expect(reaches(cluster, origin, podOf(cluster.workload(name)), port)).toBe(false);
  for (const port of [80, 443, 6443, 7844]) expect(leaves(cluster, origin, port)).toBe(false);
});

test.each(regions)(
  "engines answer origins and the gateway, call each other, and leave the cluster for nothing",
  (cluster) => {
    const vllm = podOf(cluster.workload("vllm"));
    const triton = podOf(cluster.workload("triton"));
    for (const caller of [somebody, elsewhere, podOf(cluster.workload("tunnel"))])
      for (const engine of [vllm, triton]) expect(reaches(cluster, caller, engine, 8000)).toBe(false);
    expect(reaches(cluster, gateway, vllm, 8000)).toBe(true);
    expect(reaches(cluster, gateway, triton, 8000)).toBe(false);
    expect(reaches(cluster, podOf(cluster.workload("endpoint-picker")), vllm, 8000)).toBe(true);
    // The ranks of a sharded model.
    expect(reaches(cluster, vllm, vllm, 29_500)).toBe(true);
    for (const port of [80, 443]) expect(leaves(cluster, vllm, port)).toBe(false);
  },
);

test.each(regions)("the tunnel leaves the cluster for its own port alone", (cluster) => {
  const tunnel = podOf(cluster.workload("tunnel"));
  expect(leaves(cluster, tunnel, 7844)).toBe(true);
  for (const port of [80, 443, 6443]) expect(leaves(cluster, tunnel, port)).toBe(false);
});

test.each(regions)("a Pod that no policy names is shut", (cluster) => {
  expect(leaves(cluster, somebody, 443)).toBe(false);
  expect(reaches(cluster, elsewhere, somebody, 80)).toBe(false);
});

test("the origin reaches what KServe starts in its own namespace, and nobody is let in anew", () => {
  const kserve = new Cluster("kserve");
  const origin: Pod = { namespace: "ledge", labels: { "app.kubernetes.io/name": "origin" } };
  const predictor: Pod = { namespace: "ledge-kserve", labels: {} };
  for (const port of [8000, 8080]) expect(reaches(kserve, origin, predictor, port)).toBe(true);
  expect(reaches(kserve, origin, predictor, 22)).toBe(false);
  expect(reaches(kserve, origin, elsewhere, 8080)).toBe(false);
  for (const policy of kserve.all("NetworkPolicy")) expect(policy.spec).toMatchObject({ policyTypes: ["Egress"] });
});
