import { expect, test } from "vitest";
import {
  findKustomize,
  type Kustomization,
  kustomizations,
  type Manifest,
  readRendered,
  render,
  sourcesDigest,
} from "../../scripts/deploy/manifests.ts";
import { ManifestCheck } from "../../scripts/deploy/validate.ts";

const names = Object.keys(kustomizations) as Kustomization[];
const check = new ManifestCheck();
const kustomize = await findKustomize();

test.each(names)("the rendered copy of %s is of these very sources: else 'npm run render:deploy'", (name) => {
  expect(readRendered(name).sources).toBe(sourcesDigest());
});

test.skipIf(kustomize === undefined).each(names)("kustomize makes of %s what its rendered copy holds", async (name) => {
  expect(await render(kustomize ?? [], name)).toEqual(readRendered(name).objects);
});

test.each(names)("every manifest of %s is valid against the schema of its kind", (name) => {
  const { objects } = readRendered(name);
  expect(objects.length).toBeGreaterThan(0);
  expect(objects.flatMap((object) => check.faultsOf(object))).toEqual([]);
});

/** One object of each kind that is used. */
const samples = new Map<string, Manifest>();
for (const object of names.flatMap((name) => readRendered(name).objects))
  samples.set(`${object.apiVersion}/${object.kind}`, object);

test("there is a schema for each kind that is used, and no other", () => {
  expect([...samples.keys()].sort()).toEqual([...check.kinds()].sort());
});

test.each([...samples])(
  "of %s an unknown field, a metadata field of the wrong type and another version are faults",
  (_kind, object) => {
    expect(check.faultsOf({ ...object, ledge: 1 })).toHaveLength(1);
    expect(check.faultsOf({ ...object, metadata: { ...object.metadata, labels: ["a"] } } as never)).toHaveLength(1);
    expect(check.faultsOf({ ...object, metadata: { ...object.metadata, label: {} } } as never)).toHaveLength(1);
    expect(check.faultsOf({ ...object, apiVersion: "ledge.example.com/v1" })).toHaveLength(1);
  },
);

/** Writes `value` at a path like `spec.template.0` of a copy. */
function changed(kind: string, path: string, value: unknown): Manifest {
  const copy = structuredClone(samples.get(kind)) as Manifest;
  const steps = path.split(".");
  const last = steps.pop() ?? "";
  let at = copy as unknown as Record<string, unknown>;
  for (const step of steps) at = at[step] as Record<string, unknown>;
  at[last] = value;
  return copy;
}

const pod = "spec.template.spec";
const group = "spec.leaderWorkerTemplate";
const mistakes: readonly (readonly [kind: string, path: string, value: unknown])[] = [
  ["apps/v1/Deployment", `${pod}.containers.0.redinessProbe`, {}],
  ["apps/v1/Deployment", `${pod}.containers.0.ports.0.containerPort`, "8788"],
  ["apps/v1/Deployment", `${pod}.containers.0.lifecycle`, { preStop: { sleep: 5 } }],
  ["apps/v1/Deployment", `${pod}.terminationGracePeriodSeconds`, "300s"],
  ["apps/v1/Deployment", `${pod}.securityContext`, null],
  ["apps/v1/Deployment", "spec.selector", undefined],
  ["v1/Service", "spec.ports.0.targetPort", ["http"]],
  ["policy/v1/PodDisruptionBudget", "spec.minUnavailable", 1],
  ["networking.k8s.io/v1/NetworkPolicy", "spec.ingress", { from: [] }],
  ["leaderworkerset.x-k8s.io/v1/LeaderWorkerSet", `${group}.size`, "2"],
  ["leaderworkerset.x-k8s.io/v1/LeaderWorkerSet", `${group}.restartPolicy`, "Sometimes"],
  ["leaderworkerset.x-k8s.io/v1/LeaderWorkerSet", `${group}.workerTemplate.spec.containers.0.volumeMount`, []],
  ["keda.sh/v1alpha1/ScaledObject", "spec.minReplicas", 1],
  ["keda.sh/v1alpha1/ScaledObject", "spec.triggers.0.metadata.threshold", 4],
  ["gateway.networking.k8s.io/v1/HTTPRoute", "spec.hostnames", ["-not a hostname-"]],
  ["gateway.networking.k8s.io/v1/HTTPRoute", "spec.rules.0.backendRefs.0.weight", "1"],
  ["inference.networking.k8s.io/v1/InferencePool", "spec.endpointPickerRef", undefined],
  ["inference.networking.k8s.io/v1/InferencePool", "spec.targetPorts.0.number", 70_000],
  ["serving.kserve.io/v1beta1/InferenceService", "spec.predictor.model.modelFormat", "onnx"],
  ["serving.kserve.io/v1beta1/InferenceService", "spec.predictor.model.storageURI", "pvc://models"],
  ["serving.kserve.io/v1alpha2/LLMInferenceService", "spec.parallelism.tensorParallelSize", 8],
  ["serving.kserve.io/v1alpha2/LLMInferenceService", "spec.worker.containers.0.resources.limits.memory", {}],
  ["ray.io/v1/RayService", "spec.serveConfig", "applications: []"],
  ["ray.io/v1/RayService", "spec.serveConfigV2", { applications: [] }],
  [
    "ray.io/v1/RayService",
    "spec.rayClusterConfig.headGroupSpec.template.spec.containers.0.ports.0.containerPort",
    "8000",
  ],
  ["ray.io/v1/RayService", "spec.rayClusterConfig.workerGroupSpecs.0.groupName", undefined],
  ["ray.io/v1/RayService", "spec.rayClusterConfig.workerGroupSpecs.0.maxReplicas", "4"],
];

test.each(mistakes)("of %s the mistake at %s is found", (kind, path, value) => {
  const faults = check.faultsOf(changed(kind, path, value));
  expect(faults.length).toBeGreaterThan(0);
});

test("a kind without a schema is a fault, not a pass", () => {
  const unknown = { apiVersion: "ray.io/v2", kind: "RayServices", metadata: { name: "x" } };
  expect(check.faultsOf(unknown)).toEqual(["ray.io/v2/RayServices has no schema in origin/deploy/schemas"]);
});
