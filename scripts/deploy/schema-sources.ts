/** Where each kind that the manifests use is defined. The versions are those that docs/kubernetes.md names. */

export interface CrdSource {
  /** Go module and version that carries the definition. */
  readonly module: string;
  readonly version: string;
  /** The definition's file in the module. */
  readonly path: string;
  /** The version of the API that is used. */
  readonly api: string;
}

export const crds: readonly CrdSource[] = [
  {
    module: "sigs.k8s.io/lws",
    version: "v0.9.0",
    path: "config/crd/bases/leaderworkerset.x-k8s.io_leaderworkersets.yaml",
    api: "v1",
  },
  {
    module: "github.com/kserve/kserve",
    version: "v0.20.0",
    path: "config/crd/full/serving.kserve.io_inferenceservices.yaml",
    api: "v1beta1",
  },
  {
    module: "github.com/kserve/kserve",
    version: "v0.20.0",
    path: "config/crd/full/llmisvc/serving.kserve.io_llminferenceservices.yaml",
    api: "v1alpha2",
  },
  {
    module: "github.com/kedacore/keda/v2",
    version: "v2.18.0",
    path: "config/crd/bases/keda.sh_scaledobjects.yaml",
    api: "v1alpha1",
  },
  {
    module: "github.com/ray-project/kuberay/ray-operator",
    version: "v1.5.0",
    path: "config/crd/bases/ray.io_rayservices.yaml",
    api: "v1",
  },
  {
    module: "sigs.k8s.io/gateway-api",
    version: "v1.5.1",
    path: "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml",
    api: "v1",
  },
  {
    module: "sigs.k8s.io/gateway-api-inference-extension",
    version: "v1.5.0",
    path: "config/crd/bases/inference.networking.k8s.io_inferencepools.yaml",
    api: "v1",
  },
];

/** Kubernetes' own kinds: the PyPI package that carries their schemas, made from the API server's OpenAPI document. */
export const core = {
  package: "kubernetes-validate",
  version: "1.37.0",
  path: "kubernetes_validate/kubernetes-json-schema/v1.37.0-local-strict/_definitions.json",
  kinds: {
    "v1/Namespace": "io.k8s.api.core.v1.Namespace",
    "v1/ConfigMap": "io.k8s.api.core.v1.ConfigMap",
    "v1/Service": "io.k8s.api.core.v1.Service",
    "v1/ServiceAccount": "io.k8s.api.core.v1.ServiceAccount",
    "apps/v1/Deployment": "io.k8s.api.apps.v1.Deployment",
    "policy/v1/PodDisruptionBudget": "io.k8s.api.policy.v1.PodDisruptionBudget",
    "networking.k8s.io/v1/NetworkPolicy": "io.k8s.api.networking.v1.NetworkPolicy",
    "rbac.authorization.k8s.io/v1/Role": "io.k8s.api.rbac.v1.Role",
    "rbac.authorization.k8s.io/v1/RoleBinding": "io.k8s.api.rbac.v1.RoleBinding",
    "scheduling.k8s.io/v1/PriorityClass": "io.k8s.api.scheduling.v1.PriorityClass",
  },
} as const;

export const objectMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
