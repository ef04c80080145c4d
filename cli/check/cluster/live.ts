import { ZONES, namespaceOf } from "../../../mesh";
import { MESH_SERVICE } from "../../../mesh/custom-resource";
import { ClusterError } from "./cluster";
import type { Cluster } from "./cluster";
import type * as objects from "./objects";
import type { KubeObject } from "./objects";

/** A kind of objects, and where they are read. */
export interface Kind<T extends KubeObject> {
  readonly apiVersion: string;
  readonly kind: string;
  /** As it stands in a path. */
  readonly plural: string;
  /** Only carries the type of what is read. */
  readonly type?: T;
}

const kind = <T extends KubeObject = KubeObject>(apiVersion: string, name: string, plural: string): Kind<T> => ({
  apiVersion,
  kind: name,
  plural,
});

/** The kinds that checks read. */
export const KINDS = {
  nodes: kind<objects.Node>("v1", "Node", "nodes"),
  leases: kind<objects.Lease>("coordination.k8s.io/v1", "Lease", "leases"),
  namespaces: kind<objects.Namespace>("v1", "Namespace", "namespaces"),
  pods: kind<objects.Pod>("v1", "Pod", "pods"),
  services: kind<objects.Service>("v1", "Service", "services"),
  configMaps: kind<objects.ConfigMap>("v1", "ConfigMap", "configmaps"),
  secrets: kind<objects.Secret>("v1", "Secret", "secrets"),
  serviceAccounts: kind("v1", "ServiceAccount", "serviceaccounts"),
  volumeClaims: kind<objects.VolumeClaim>("v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
  deployments: kind<objects.Workload>("apps/v1", "Deployment", "deployments"),
  statefulSets: kind<objects.Workload>("apps/v1", "StatefulSet", "statefulsets"),
  daemonSets: kind<objects.Workload>("apps/v1", "DaemonSet", "daemonsets"),
  jobs: kind<objects.Job>("batch/v1", "Job", "jobs"),
  cronJobs: kind<objects.CronJob>("batch/v1", "CronJob", "cronjobs"),
  networkPolicies: kind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies"),
  ingresses: kind("networking.k8s.io/v1", "Ingress", "ingresses"),
  roles: kind("rbac.authorization.k8s.io/v1", "Role", "roles"),
  roleBindings: kind<objects.RoleBinding>("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings"),
  clusterRoles: kind("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles"),
  clusterRoleBindings: kind<objects.RoleBinding>(
    "rbac.authorization.k8s.io/v1",
    "ClusterRoleBinding",
    "clusterrolebindings",
  ),
  disruptionBudgets: kind("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets"),
  storageClasses: kind<objects.StorageClass>("storage.k8s.io/v1", "StorageClass", "storageclasses"),
  endpointSlices: kind<objects.EndpointSlice>("discovery.k8s.io/v1", "EndpointSlice", "endpointslices"),
  admissionPolicies: kind<objects.AdmissionPolicy>(
    "admissionregistration.k8s.io/v1",
    "ValidatingAdmissionPolicy",
    "validatingadmissionpolicies",
  ),
  admissionBindings: kind<objects.AdmissionPolicy>(
    "admissionregistration.k8s.io/v1",
    "ValidatingAdmissionPolicyBinding",
    "validatingadmissionpolicybindings",
  ),
  definitions: kind<objects.CustomResource>(
    "apiextensions.k8s.io/v1",
    "CustomResourceDefinition",
    "customresourcedefinitions",
  ),
  meshServices: kind<objects.CustomResource>(MESH_SERVICE.apiVersion, MESH_SERVICE.kind, MESH_SERVICE.plural),
  mutatingWebhooks: kind<objects.WebhookConfiguration>(
    "admissionregistration.k8s.io/v1",
    "MutatingWebhookConfiguration",
    "mutatingwebhookconfigurations",
  ),
} as const;

/** A resource of an API, as the API server lists it. */
export interface ApiResource {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** The cluster's objects as they were when they were first asked for: each list is read once. */
export class Live {
  private readonly answers = new Map<string, Promise<unknown>>();

  constructor(private readonly cluster: Cluster) {}

  /** Objects of a namespace; of all, or of what lies in none, without one. @throws ClusterError */
  async list<T extends KubeObject>({ apiVersion, kind, plural }: Kind<T>, namespace?: string): Promise<readonly T[]> {
    const base = apiPath(apiVersion);
    const path = namespace === undefined ? `${base}/${plural}` : `${base}/namespaces/${namespace}/${plural}`;
    return (await this.once(path, async () =>
      // The items of a list don't say what they are.
      (await this.cluster.list(path)).map((item) => ({ ...(item as T), apiVersion, kind })),
    )) as readonly T[];
  }

  /** Objects of all zones' namespaces: without the right to read those of others. */
  async inZones<T extends KubeObject>(of: Kind<T>): Promise<readonly T[]> {
    return (await Promise.all(ZONES.map((zone) => this.list(of, namespaceOf(zone))))).flat();
  }

  /** What an API group's version offers; undefined where it isn't there. */
  async resources(apiVersion: string): Promise<readonly ApiResource[] | undefined> {
    const path = apiPath(apiVersion);
    return (await this.once(path, async () => {
      const answer = (await found(this.cluster.get(path))) as { resources?: readonly ApiResource[] } | undefined;
      return answer?.resources ?? (answer === undefined ? undefined : []);
    })) as readonly ApiResource[] | undefined;
  }

  /** What a pod's port answers, as in {@link Cluster.ask}. */
  async ask(...request: Parameters<Cluster["ask"]>): ReturnType<Cluster["ask"]> {
    const [pod, port, path] = request;
    const key = `${pod.namespace}/${pod.name}:${String(port)}${path}`;
    return (await this.once(key, () => this.cluster.ask(...request))) as Awaited<ReturnType<Cluster["ask"]>>;
  }

  private once(key: string, read: () => Promise<unknown>): Promise<unknown> {
    const known = this.answers.get(key);
    if (known !== undefined) return known;
    const answer = read();
    // Whoever asks first is told of a failure; nobody else may be there to be.
    answer.catch(() => undefined);
    this.answers.set(key, answer);
    return answer;
  }
}

/** `/api/v1`, `/apis/apps/v1`. */
export function apiPath(apiVersion: string): string {
  return apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}

/** What was asked for; undefined where the API server has no such thing. */
export async function found<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ClusterError && error.status === 404) return undefined;
    throw error;
  }
}
