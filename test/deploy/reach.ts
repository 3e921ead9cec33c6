import { type Cluster, type Labels, matches, portOf, type Workload } from "./cluster.ts";

/**
 * Whom NetworkPolicies let through, by the rules of networking.k8s.io/v1: a Pod that any policy of a direction selects is closed in it but
 * for what one of them allows, and a call passes when the caller's egress and the callee's ingress both allow it.
 */

export interface Pod {
  readonly namespace: string;
  readonly labels: Labels;
  /** What its named ports are; undefined: it is none of ours, and no name is known. */
  readonly workload?: Workload;
}

interface Peer {
  readonly podSelector?: { readonly matchLabels?: Labels };
  readonly namespaceSelector?: { readonly matchLabels?: Labels };
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}

interface Rule {
  readonly from?: readonly Peer[];
  readonly to?: readonly Peer[];
  readonly ports?: readonly { readonly port: string | number }[];
}

interface PolicySpec {
  readonly podSelector: { readonly matchLabels?: Labels };
  readonly policyTypes: readonly ("Ingress" | "Egress")[];
  readonly ingress?: readonly Rule[];
  readonly egress?: readonly Rule[];
}

interface Policy {
  readonly namespace: string;
  readonly spec: PolicySpec;
}

/** A Pod of a workload in the namespace `ledge`. */
export function podOf(workload: Workload): Pod {
  return { namespace: "ledge", labels: workload.template.metadata.labels, workload };
}

/** Whether TCP from one Pod reaches a port of another. */
export function reaches(cluster: Cluster, from: Pod, to: Pod, port: number): boolean {
  const policies = cluster.all("NetworkPolicy").map(
    ({ metadata, spec }): Policy => ({
      namespace: (metadata as { namespace?: string }).namespace ?? "",
      spec: spec as PolicySpec,
    }),
  );
  return (
    allowed(policies, "Egress", from, (rule, own) => peers(rule.to, own, to) && ports(rule, to, port)) &&
    allowed(policies, "Ingress", to, (rule, own) => peers(rule.from, own, from) && ports(rule, to, port))
  );
}

/** Whether a Pod may call an address outside the cluster. */
export function leaves(cluster: Cluster, from: Pod, port: number): boolean {
  const outside: Pod = { namespace: "", labels: {} };
  const policies = cluster
    .all("NetworkPolicy")
    .map(({ spec }): Policy => ({ namespace: "ledge", spec: spec as PolicySpec }));
  const open = (rule: Rule) => rule.to === undefined || rule.to.some(({ ipBlock }) => ipBlock !== undefined);
  return allowed(policies, "Egress", from, (rule) => open(rule) && ports(rule, outside, port));
}

function allowed(
  policies: readonly Policy[],
  direction: "Ingress" | "Egress",
  pod: Pod,
  passes: (rule: Rule, namespace: string) => boolean,
): boolean {
  const selecting = policies.filter(
    ({ namespace, spec }) =>
      namespace === pod.namespace &&
      spec.policyTypes.includes(direction) &&
      matches(spec.podSelector.matchLabels ?? {}, pod.labels),
  );
  if (selecting.length === 0) return true;
  return selecting.some(({ namespace, spec }) => {
    const rules = (direction === "Ingress" ? spec.ingress : spec.egress) ?? [];
    return rules.some((rule) => passes(rule, namespace));
  });
}

function peers(listed: readonly Peer[] | undefined, ownNamespace: string, other: Pod): boolean {
  if (listed === undefined) return true;
  return listed.some(({ podSelector, namespaceSelector, ipBlock }) => {
    if (ipBlock !== undefined) return false;
    const named = { "kubernetes.io/metadata.name": other.namespace };
    const there =
      namespaceSelector === undefined
        ? other.namespace === ownNamespace
        : matches(namespaceSelector.matchLabels ?? {}, named);
    return there && matches(podSelector?.matchLabels ?? {}, other.labels);
  });
}

function ports(rule: Rule, to: Pod, port: number): boolean {
  if (rule.ports === undefined) return true;
  return rule.ports.some((each) => {
    const named = to.workload === undefined ? each.port : portOf(to.workload, each.port);
    return (typeof each.port === "number" ? each.port : named) === port;
  });
}
