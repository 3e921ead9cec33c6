import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { repoRoot } from "../../scripts/repo.ts";
import { Cluster, type Labels, matches, type PodTemplate } from "./cluster.ts";

/** The RayService, and the application that it deploys. */

interface RaySpec {
  readonly serveConfigV2: string;
  readonly rayClusterConfig: {
    readonly headGroupSpec: { readonly rayStartParams: Labels; readonly template: PodTemplate };
    readonly workerGroupSpecs: readonly {
      readonly minReplicas: number;
      readonly maxReplicas: number;
      readonly template: PodTemplate;
    }[];
  };
}

interface ServeConfig {
  readonly http_options: { readonly port: number };
  readonly applications: readonly {
    readonly import_path: string;
    readonly args: Readonly<Record<string, string | number>>;
  }[];
}

const cluster = new Cluster("ray");
const { serveConfigV2, rayClusterConfig } = cluster.one<RaySpec>("RayService", "large").spec;
const config = parse(serveConfigV2) as ServeConfig;
const [application] = config.applications;
const args = application?.args ?? {};
const { headGroupSpec, workerGroupSpecs } = rayClusterConfig;
const [workers] = workerGroupSpecs;
const templates = [headGroupSpec.template, ...workerGroupSpecs.map(({ template }) => template)];

const source = (name: string) => readFileSync(join(repoRoot, "origin", "cluster", name), "utf8");

test("what Kubernetes deploys is the very application that the local cluster runs, mounted where it is imported from", () => {
  const [map] = cluster.all("ConfigMap");
  const files = Object.entries((map?.data ?? {}) as Labels);
  expect(files.map(([name]) => name)).toContain("app.py");
  for (const [name, text] of files) expect([name, text]).toEqual([name, source(name)]);
  const imported = files.flatMap(([, text]) => [...text.matchAll(/^ *from \.(\w+) import /gm)].map(([, name]) => name));
  for (const name of imported) expect(files.map(([file]) => file)).toContain(`${name}.py`);
  expect(application?.import_path).toBe("cluster.app:build");
  for (const { spec } of templates) {
    expect(spec.volumes?.map(({ configMap }) => configMap?.name)).toContain(map?.metadata.name);
    const [container] = spec.containers as unknown as readonly {
      readonly env: readonly { readonly name: string; readonly value: string }[];
      readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
    }[];
    const path = container?.env.find(({ name }) => name === "PYTHONPATH")?.value;
    expect(container?.volumeMounts.find(({ name }) => name === "application")?.mountPath).toBe(`${path}/cluster`);
  }
});

test("its settings are ones that the application knows", () => {
  const known = [...source("settings.py").matchAll(/^ {4}(\w+): /gm)].map(([, name]) => name);
  for (const name of Object.keys(args)) expect(known).toContain(name);
  expect(args).toMatchObject({ engine: "vllm", accelerator: "gpu" });
});

test("its tensor parallel size is the GPUs of a Pod, and there may be as many Pods as all replicas need", () => {
  const [container] = workers?.template.spec.containers ?? [];
  expect(container?.resources.limits?.["nvidia.com/gpu"]).toBe(String(args.tensor_parallel_size));
  expect(workers?.maxReplicas).toBe(Number(args.pipeline_parallel_size) * Number(args.max_replicas));
  // Down to zero when idle: the GPUs go too, and the head holds none of the model.
  expect([args.min_replicas, workers?.minReplicas]).toEqual([0, 0]);
  expect(headGroupSpec.rayStartParams["num-cpus"]).toBe("0");
});

test("it listens on the port that the origin may reach, in Pods that the policies for engines hold for", () => {
  for (const { metadata, spec } of templates) {
    expect(metadata.labels["app.kubernetes.io/component"]).toBe("engine");
    const http = spec.containers[0]?.ports?.find(({ name }) => name === "http");
    expect(http?.containerPort).toBe(config.http_options.port);
    expect(spec.securityContext).toMatchObject({ runAsNonRoot: true });
  }
  const policy = cluster.one<{ podSelector: { matchLabels: Labels } }>("NetworkPolicy", "ray").spec;
  for (const { metadata } of templates) expect(matches(policy.podSelector.matchLabels, metadata.labels)).toBe(true);
});
