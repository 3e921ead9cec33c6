import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Gate } from "../../origin/src/admit/gate.ts";
import { readConfig } from "../../origin/src/config.ts";
import { Registry } from "../../origin/src/engines/registry.ts";
import { metricsText } from "../../origin/src/observe/metrics.ts";
import { settings } from "../../origin/src/settings.ts";
import { repoRoot } from "../../scripts/repo.ts";
import {
  Cluster,
  type Labels,
  type LeaderWorkerSpec,
  matches,
  onlyContainer,
  type PodTemplate,
  type Probe,
  portOf,
  type ScaledSpec,
} from "./cluster.ts";

const regions = [new Cluster("eu"), new Cluster("us")];
const origins = ["origin", "origin-batch"];

/** The value of `--name=value` among arguments, or undefined. */
function option(args: readonly string[] | undefined, name: string): string | undefined {
  return args?.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
}

test.each(regions)(
  "every selector finds Pods, and a Service, a budget or a Deployment those of one workload only",
  (cluster) => {
    const selecting: (readonly [what: string, labels: Labels])[] = [
      ...cluster
        .all("Service")
        .map((object) => [object.metadata.name, (object.spec as { selector: Labels }).selector] as const),
      ...[...cluster.all("PodDisruptionBudget"), ...cluster.all("Deployment")].map((object) => {
        const { selector } = object.spec as { selector: { matchLabels: Labels } };
        return [object.metadata.name, selector.matchLabels] as const;
      }),
    ];
    expect(selecting.length).toBeGreaterThan(10);
    for (const [name, labels] of selecting)
      expect([name, cluster.selected(labels).map((workload) => workload.name)]).toEqual([
        name,
        [name.replace("-leader", "")],
      ]);
    const { selector } = cluster.one<{ selector: { matchLabels: Labels } }>("InferencePool", "vllm").spec;
    expect(cluster.selected(selector.matchLabels)).toEqual([cluster.workload("vllm")]);
    for (const policy of cluster.all("NetworkPolicy")) {
      const { podSelector } = policy.spec as { podSelector: { matchLabels?: Labels } };
      expect(cluster.selected(podSelector.matchLabels ?? {}).length).toBeGreaterThan(0);
    }
  },
);

test.each(regions)(
  "no Service has the name of a LeaderWorkerSet, which starts one of its own name for its ranks",
  (cluster) => {
    const groups = cluster.all("LeaderWorkerSet").map(({ metadata }) => metadata.name);
    expect(groups).toEqual(["vllm"]);
    for (const { metadata } of cluster.all("Service")) expect(groups).not.toContain(metadata.name);
  },
);

test.each(regions)("every port that something names is one that a container has", (cluster) => {
  for (const service of cluster.all("Service")) {
    const { selector, ports } = service.spec as { selector: Labels; ports: { port: number; targetPort: string }[] };
    for (const workload of cluster.selected(selector))
      for (const { port, targetPort } of ports) expect(portOf(workload, targetPort)).toBe(port);
  }
  for (const workload of cluster.workloads()) {
    const { startupProbe, readinessProbe, livenessProbe } = onlyContainer(workload);
    const probes = [startupProbe, readinessProbe, livenessProbe].filter((probe): probe is Probe => probe !== undefined);
    for (const { httpGet, grpc } of probes) expect(portOf(workload, httpGet?.port ?? grpc?.port ?? 0)).toBeDefined();
    const scraped = workload.template.metadata.annotations?.["prometheus.io/port"];
    if (scraped !== undefined) expect(portOf(workload, Number(scraped))).toBe(Number(scraped));
  }
  const pool = cluster.one<{
    targetPorts: { number: number }[];
    endpointPickerRef: { name: string; port: { number: number } };
  }>("InferencePool", "vllm").spec;
  for (const { number } of pool.targetPorts) expect(portOf(cluster.workload("vllm"), number)).toBe(number);
  const picker = cluster.one<{ ports: { port: number }[] }>("Service", pool.endpointPickerRef.name).spec;
  expect(picker.ports.map(({ port }) => port)).toContain(pool.endpointPickerRef.port.number);
});

test.each(regions)("processes listen where their manifests say", (cluster) => {
  for (const name of origins) {
    const { HOST, PORT, METRICS_PORT } = cluster.settingsOf(name);
    expect(HOST).toBe("0.0.0.0");
    expect(portOf(cluster.workload(name), "http")).toBe(Number(PORT));
    expect(portOf(cluster.workload(name), "metrics")).toBe(Number(METRICS_PORT));
  }
  const vllm = cluster.workload("vllm");
  expect(option(onlyContainer(vllm).args, "port")).toBe(String(portOf(vllm, "http")));
  const triton = cluster.workload("triton");
  for (const name of ["http", "grpc", "metrics"])
    expect(option(onlyContainer(triton).args, `${name}-port`)).toBe(String(portOf(triton, name)));
});

test.each(regions)("the origin takes every variable that it is given, and each is one that it knows", (cluster) => {
  for (const name of origins) {
    const given = cluster.settingsOf(name);
    const secrets = (onlyContainer(cluster.workload(name)).env ?? []).map((variable) => variable.name);
    for (const variable of [...Object.keys(given), ...secrets]) expect(Object.keys(settings)).toContain(variable);
    const filled = Object.fromEntries(secrets.map((variable) => [variable, "0123456789abcdef"]));
    const ENGINES = enginesOf(cluster, name);
    expect(readConfig({ ...given, ...filled, ENGINES })).toMatchObject({ ok: true });
  }
});

/** The file that `ENGINES` names, as the container finds it. */
function enginesOf(cluster: Cluster, name: string): string {
  const mounted = cluster.workload(name).template.spec.volumes ?? [];
  const maps = mounted.flatMap(({ configMap }) => (configMap === undefined ? [] : [cluster.configMap(configMap.name)]));
  return maps.flatMap((map) => map["engines.json"] ?? []).join();
}

test.each(regions)("the origin's engines are Services that are there, at their ports", (cluster) => {
  for (const name of origins) {
    expect(cluster.settingsOf(name).ENGINES).toBe("/etc/ledge/engines.json");
    const engines = JSON.parse(enginesOf(cluster, name)) as { url: string }[];
    expect(engines.length).toBeGreaterThan(0);
    for (const { url } of engines) {
      const { hostname, port } = new URL(url);
      const { ports } = cluster.one<{ ports: { port: number }[] }>("Service", hostname).spec;
      expect(ports.map((each) => String(each.port))).toContain(port);
    }
  }
});

test.each(regions)(
  "everything that is referred to is there, but for two secrets and a volume that the operator makes",
  (cluster) => {
    const templates = cluster.workloads().map(({ template }) => template.spec);
    const volumes = templates.flatMap((spec) => spec.volumes ?? []);
    const containers = templates.flatMap((spec) => spec.containers);
    for (const { configMap } of volumes) if (configMap !== undefined) cluster.configMap(configMap.name);
    for (const { serviceAccountName, priorityClassName } of templates) {
      if (serviceAccountName !== undefined) cluster.one("ServiceAccount", serviceAccountName);
      if (priorityClassName !== undefined) cluster.one("PriorityClass", priorityClassName);
    }
    for (const { spec } of cluster.all("ScaledObject")) {
      const { name, kind = "Deployment" } = (spec as ScaledSpec).scaleTargetRef;
      cluster.one(kind, name);
    }
    for (const { spec } of cluster.all("HTTPRoute")) {
      const { rules } = spec as { rules: { backendRefs: { kind: string; name: string }[] }[] };
      for (const { kind, name } of rules.flatMap(({ backendRefs }) => backendRefs)) cluster.one(kind, name);
    }
    const keys = containers.flatMap(({ env = [] }) => env.map(({ valueFrom }) => valueFrom?.secretKeyRef?.name));
    const outside = [
      ...keys,
      ...volumes.flatMap(({ secret, persistentVolumeClaim }) => [secret?.secretName, persistentVolumeClaim?.claimName]),
    ];
    expect([...new Set(outside.filter((name) => name !== undefined))].sort()).toEqual([
      "models",
      "origin-secret",
      "tunnel-credentials",
    ]);
  },
);

test.each(regions)("autoscaling asks for metrics that the origin and vLLM have", (cluster) => {
  const registry = new Registry();
  const model = { name: "m", version: "1", task: "chat" } as const;
  registry.add({ engine: { model, close: async () => {} }, gate: new Gate({ runningMax: 1, waitingMax: 1 }, () => 0) });
  const queries = cluster
    .all("ScaledObject")
    .flatMap(({ spec }) => (spec as ScaledSpec).triggers.map(({ metadata }) => metadata.query ?? ""));
  const asked = new Set(queries.flatMap((query) => query.match(/\b(?:ledge_origin_|vllm:)\w+/g) ?? []));
  const own = [...asked].filter((name) => name.startsWith("ledge_origin_"));
  expect(own).toEqual(["ledge_origin_waiting"]);
  for (const name of own) expect(metricsText(registry)).toContain(`\n${name}{`);
  expect([...asked].filter((name) => name.startsWith("vllm:")).sort()).toEqual([
    "vllm:kv_cache_usage_perc",
    "vllm:num_requests_running",
    "vllm:num_requests_waiting",
  ]);
});

test.each(regions)(
  "vLLM's tensor parallel size is the GPUs of a Pod, its pipeline parallel size the Pods of a group",
  (cluster) => {
    const groups = cluster.one<LeaderWorkerSpec>("LeaderWorkerSet", "vllm").spec.leaderWorkerTemplate;
    const [leader, worker] = [groups.leaderTemplate, groups.workerTemplate].map((template: PodTemplate) =>
      onlyContainer({ kind: "LeaderWorkerSet", name: "vllm", template }),
    );
    for (const container of [leader, worker]) {
      expect(option(container?.args, "tensor-parallel-size")).toBe(container?.resources.limits?.["nvidia.com/gpu"]);
      expect(option(container?.args, "pipeline-parallel-size")).toBe(String(groups.size));
    }
    // All ranks are one program: the others only do not answer.
    expect(worker?.args).toEqual(["--headless", ...(leader?.args ?? [])]);
    expect([worker?.command, worker?.image]).toEqual([leader?.command, leader?.image]);
  },
);

test("KServe's model is as parallel as its Pods have GPUs", () => {
  const { spec } = new Cluster("kserve").one<{
    parallelism: { tensor: number; pipeline: number };
    template: PodTemplate["spec"];
    worker: PodTemplate["spec"];
  }>("LLMInferenceService", "large");
  expect(spec.parallelism.pipeline).toBeGreaterThan(1);
  for (const { containers } of [spec.template, spec.worker])
    expect(containers[0]?.resources.limits?.["nvidia.com/gpu"]).toBe(String(spec.parallelism.tensor));
});

test.each(regions)(
  "what the edge's calls pass through runs without rights: no root, no writing, no token, no other's variables",
  (cluster) => {
    for (const name of [...origins, "tunnel"]) {
      const { template } = cluster.workload(name);
      expect(template.spec).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false });
      expect(template.spec.securityContext).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: "RuntimeDefault" },
      });
      expect(onlyContainer(cluster.workload(name)).securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
    }
  },
);

test.each(regions)("every container asks for a processor and memory, and has a bound on memory", (cluster) => {
  for (const workload of cluster.workloads()) {
    const { requests, limits } = onlyContainer(workload).resources;
    expect(Object.keys(requests ?? {})).toEqual(expect.arrayContaining(["cpu", "memory"]));
    expect(Object.keys(limits ?? {})).toContain("memory");
  }
});

test.each(regions)("only batch work runs on spot machines, and gives way to all else", (cluster) => {
  const spot = cluster.workloads().filter(({ template }) => template.spec.nodeSelector?.["node-pool"] === "spot");
  const tolerant = cluster.workloads().filter(({ template }) => template.spec.tolerations !== undefined);
  expect(spot.map(({ name }) => name)).toEqual(["origin-batch"]);
  expect(tolerant).toEqual(spot);
  const priority = cluster.one("PriorityClass", spot[0]?.template.spec.priorityClassName ?? "");
  expect(priority).toMatchObject({ preemptionPolicy: "Never" });
  expect(priority.value).toBeLessThan(0);
  const online = cluster.one<{ selector: Labels }>("Service", "origin").spec.selector;
  expect(matches(online, spot[0]?.template.metadata.labels ?? {})).toBe(false);
});

test("the image is made of files that are there, and runs as the user and on the ports that the manifest names", () => {
  const dockerfile = readFileSync(join(repoRoot, "origin", "Dockerfile"), "utf8");
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, paths = ""]) => paths.split(" "));
  expect(copied).toContain("origin/src");
  for (const path of copied) expect([path, existsSync(join(repoRoot, path))]).toEqual([path, true]);
  const [, entry] = /^CMD \["node", "(.+)"\]$/m.exec(dockerfile) ?? [];
  expect(existsSync(join(repoRoot, entry ?? "missing"))).toBe(true);
  const origin = new Cluster("eu").workload("origin");
  const { runAsUser, runAsGroup } = origin.template.spec.securityContext ?? {};
  expect(dockerfile).toContain(`\nUSER ${runAsUser}:${runAsGroup}\n`);
  expect(dockerfile).toContain(`\nEXPOSE ${portOf(origin, "http")} ${portOf(origin, "metrics")}\n`);
});
