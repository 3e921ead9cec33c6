import type { Kustomization, Manifest } from "../../scripts/deploy/manifests.ts";
import { readRendered } from "../../scripts/deploy/manifests.ts";

/** The rendered manifests as far as tests look into them. The schemas have been held to them before. */

export type Labels = Readonly<Record<string, string>>;

export interface Probe {
  readonly httpGet?: { readonly port: string | number };
  readonly grpc?: { readonly port: number };
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly command?: readonly string[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly env?: readonly {
    readonly name: string;
    readonly valueFrom?: { readonly secretKeyRef?: { readonly name: string } };
  }[];
  readonly envFrom?: readonly { readonly configMapRef: { readonly name: string } }[];
  readonly startupProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly lifecycle?: { readonly preStop: { readonly sleep: { readonly seconds: number } } };
  readonly resources: Readonly<Record<"requests" | "limits", Labels | undefined>>;
  readonly securityContext?: Readonly<Record<string, unknown>>;
}

export interface PodTemplate {
  readonly metadata: { readonly labels: Labels; readonly annotations?: Labels };
  readonly spec: {
    readonly containers: readonly Container[];
    readonly volumes?: readonly {
      readonly configMap?: { readonly name: string };
      readonly secret?: { readonly secretName: string };
      readonly persistentVolumeClaim?: { readonly claimName: string };
    }[];
    readonly terminationGracePeriodSeconds: number;
    readonly securityContext?: Readonly<Record<string, unknown>>;
    readonly serviceAccountName?: string;
    readonly priorityClassName?: string;
    readonly nodeSelector?: Labels;
    readonly tolerations?: readonly unknown[];
    readonly enableServiceLinks?: boolean;
    readonly automountServiceAccountToken?: boolean;
  };
}

/** What starts Pods, and the template it starts them from. A LeaderWorkerSet has two. */
export interface Workload {
  readonly kind: string;
  readonly name: string;
  readonly template: PodTemplate;
}

export class Cluster {
  readonly objects: readonly Manifest[];

  constructor(name: Kustomization) {
    this.objects = readRendered(name).objects;
  }

  all(kind: string): readonly Manifest[] {
    return this.objects.filter((object) => object.kind === kind);
  }

  /** Throws when there is none. */
  one<Spec>(kind: string, name: string): Manifest & { readonly spec: Spec } {
    const found = this.all(kind).find(({ metadata }) => metadata.name === name);
    if (found === undefined) throw new Error(`No ${kind} ${name}`);
    return found as Manifest & { readonly spec: Spec };
  }

  workloads(): readonly Workload[] {
    const deployed = this.all("Deployment").map((object) => {
      const { template } = object.spec as { template: PodTemplate };
      return { kind: object.kind, name: object.metadata.name, template };
    });
    const grouped = this.all("LeaderWorkerSet").flatMap((object) => {
      const groups = (object.spec as LeaderWorkerSpec).leaderWorkerTemplate;
      return [groups.leaderTemplate, groups.workerTemplate].map((template) => ({
        kind: object.kind,
        name: object.metadata.name,
        template,
      }));
    });
    return [...deployed, ...grouped];
  }

  /** Throws when there is none. */
  workload(name: string): Workload {
    const found = this.workloads().find((workload) => workload.name === name);
    if (found === undefined) throw new Error(`Nothing starts Pods of ${name}`);
    return found;
  }

  selected(labels: Labels): readonly Workload[] {
    return this.workloads().filter(({ template }) => matches(labels, template.metadata.labels));
  }

  /** The least number of replicas that run when nothing is disturbed. */
  replicasMin(name: string): number {
    const scaled = this.all("ScaledObject").find(({ spec }) => (spec as ScaledSpec).scaleTargetRef.name === name);
    if (scaled !== undefined) return (scaled.spec as ScaledSpec).minReplicaCount;
    return this.one<{ replicas: number }>("Deployment", name).spec.replicas;
  }

  /** The settings that the containers of a workload get from ConfigMaps. */
  settingsOf(name: string): Labels {
    const refs = onlyContainer(this.workload(name)).envFrom ?? [];
    return Object.assign({}, ...refs.map(({ configMapRef }) => this.configMap(configMapRef.name)));
  }

  configMap(name: string): Labels {
    const found = this.all("ConfigMap").find(({ metadata }) => metadata.name === name);
    if (found === undefined) throw new Error(`No ConfigMap ${name}`);
    return found.data as Labels;
  }
}

export interface ScaledSpec {
  readonly scaleTargetRef: { readonly name: string; readonly kind?: string };
  readonly minReplicaCount: number;
  readonly maxReplicaCount: number;
  readonly triggers: readonly { readonly type: string; readonly metadata: Labels }[];
}

export interface LeaderWorkerSpec {
  readonly leaderWorkerTemplate: {
    readonly size: number;
    readonly leaderTemplate: PodTemplate;
    readonly workerTemplate: PodTemplate;
  };
}

export function matches(selector: Labels, labels: Labels): boolean {
  return Object.entries(selector).every(([name, value]) => labels[name] === value);
}

export function onlyContainer({ name, template }: Workload): Container {
  const [container, ...others] = template.spec.containers;
  if (container === undefined || others.length > 0) throw new Error(`${name} has not one container`);
  return container;
}

/** The container port of that name or number, or undefined. */
export function portOf({ template }: Workload, port: string | number): number | undefined {
  const ports = template.spec.containers.flatMap((container) => container.ports ?? []);
  return ports.find(({ name, containerPort }) => name === port || containerPort === port)?.containerPort;
}
