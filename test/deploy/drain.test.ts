import { expect, test } from "vitest";
import { parse } from "yaml";
import { settings } from "../../origin/src/settings.ts";
import { Cluster, onlyContainer } from "./cluster.ts";

const regions = [new Cluster("eu"), new Cluster("us")];
/** What the origin gives called-off streams to say so, after DRAIN_MS. */
const cutAfterS = 1;

function graceOf(cluster: Cluster, name: string) {
  const workload = cluster.workload(name);
  return {
    graceS: workload.template.spec.terminationGracePeriodSeconds,
    preStopS: onlyContainer(workload).lifecycle?.preStop.sleep.seconds ?? 0,
  };
}

function seconds(cluster: Cluster, name: string, setting: "DRAIN_MS" | "TIMEOUT_MS_MAX" | "TIMEOUT_MS"): number {
  return Number(cluster.settingsOf(name)[setting] ?? settings[setting].default) / 1000;
}

test.each(regions)(
  "an origin is killed only after its drain, and its drain outlasts the longest call: none that was accepted is lost",
  (cluster) => {
    for (const name of ["origin", "origin-batch"]) {
      const { graceS, preStopS } = graceOf(cluster, name);
      expect(preStopS).toBeGreaterThan(0);
      expect(seconds(cluster, name, "DRAIN_MS")).toBeGreaterThanOrEqual(seconds(cluster, name, "TIMEOUT_MS_MAX"));
      expect(seconds(cluster, name, "TIMEOUT_MS_MAX")).toBeGreaterThanOrEqual(seconds(cluster, name, "TIMEOUT_MS"));
      expect(graceS).toBeGreaterThan(preStopS + seconds(cluster, name, "DRAIN_MS") + cutAfterS);
    }
  },
);

test.each(regions)("an origin on a spot machine is done within 15 seconds of the notice", (cluster) => {
  expect(graceOf(cluster, "origin-batch").graceS).toBeLessThanOrEqual(15);
});

test.each(regions)("engines and the tunnel outlast the longest call of an origin too", (cluster) => {
  const longestS = seconds(cluster, "origin", "TIMEOUT_MS_MAX");
  for (const name of ["vllm", "triton", "tunnel", "endpoint-picker"])
    expect(graceOf(cluster, name).graceS).toBeGreaterThan(graceOf(cluster, name).preStopS + longestS);
  const triton = onlyContainer(cluster.workload("triton")).args ?? [];
  expect(triton).toContain(`--exit-timeout-secs=${longestS}`);
  const mounted = cluster.workload("tunnel").template.spec.volumes?.find(({ configMap }) => configMap !== undefined);
  const tunnel = parse(cluster.configMap(mounted?.configMap?.name ?? "")["config.yaml"] ?? "");
  expect(tunnel).toMatchObject({ "grace-period": `${longestS}s` });
});

test.each(regions)("a disruption budget leaves an origin, a tunnel and an engine running", (cluster) => {
  const budgets = cluster.all("PodDisruptionBudget");
  expect(budgets.map(({ metadata }) => metadata.name)).toEqual(["origin", "origin-batch", "triton", "tunnel"]);
  for (const { metadata, spec } of budgets) {
    const { maxUnavailable } = spec as { maxUnavailable: number };
    expect(maxUnavailable).toBeGreaterThanOrEqual(1);
    expect(cluster.replicasMin(metadata.name) - maxUnavailable).toBeGreaterThanOrEqual(1);
  }
});
