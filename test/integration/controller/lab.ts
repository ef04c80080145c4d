/** Lucid's API server, as the plan has it, with pods of the tests' own: there is no node that would run them. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { MESH_SERVICE, type MeshServiceStatus } from "../../../mesh/custom-resource";
import type { JsonObject } from "../../policies/support/edit";
import { Refusal, type Manifest } from "../admission/api";
import { Lab, planned, plannedObjects } from "../admission/lab";
import type { Backend } from "./backends";
import { Replica } from "./replica";

const CONTROLLER = "mesh-controller";
/** `SERVICE_REGISTRY_TTL`: the shortest, so that a lease is 7 s. */
export const REGISTRY_TTL = 15;
export const LEASE_SECONDS = 7;

/** What a workload's pods have; nobody looks for it here. */
const OWNER = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "admin-ui", uid: "of-the-lab", controller: true };
const PODS = "/api/v1/namespaces/lucid-ops/pods";
const MERGE = "application/merge-patch+json";

export class ControllerLab {
  private readonly replicas = new Set<Replica>();

  private constructor(
    readonly api: Lab,
    private readonly folder: string,
    private readonly env: Readonly<Record<string, string>>,
  ) {}

  /** @param settings of the controller, that are not the usual ones */
  static async start(backend: Backend, settings: Readonly<Record<string, string>> = {}): Promise<ControllerLab> {
    const api = await Lab.start();
    for (const object of await plannedObjects()) {
      // As Pulumi makes them; the namespaces, the policies and the definition are there.
      await api.create(object, { manager: "pulumi-kubernetes" }).catch((error: unknown) => {
        if (!(error instanceof Refusal && error.status === 409)) throw error;
      });
    }
    const folder = mkdtempSync(path.join(tmpdir(), "lucid-controller-"));
    const kubeconfig = path.join(folder, "kubeconfig");
    // What it may do is what the planned Roles say, and no more.
    const { status } = (await api.ask({
      method: "POST",
      path: `/api/v1/namespaces/lucid-mesh/serviceaccounts/${CONTROLLER}/token`,
      body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: 3600 } },
    })) as unknown as { status: { token: string } };
    writeFileSync(kubeconfig, api.kubeconfigOf(status.token), { mode: 0o600 });
    return new ControllerLab(api, folder, {
      ...backend.env,
      KUBECONFIG: kubeconfig,
      LUCID_NAMESPACES: "lucid-ops=ops,lucid-chain=chain",
      SERVICE_REGISTRY_TTL: String(REGISTRY_TTL),
      RECONCILE_INTERVAL: "5",
      ...settings,
    });
  }

  async replica(): Promise<Replica> {
    const replica = await Replica.start(this.env);
    this.replicas.add(replica);
    return replica;
  }

  /** A pod of admin-ui at an address, ready or not, as kubelet would report it. */
  async pod(name: string, address: string, ready = true, ownerReferences: readonly object[] = [OWNER]): Promise<void> {
    const { spec } = (await planned("Deployment", "lucid-ops", "admin-ui")) as unknown as {
      spec: { template: { metadata: JsonObject; spec: JsonObject } };
    };
    const { metadata, spec: pod } = spec.template;
    const object: Manifest = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { ...metadata, name, namespace: "lucid-ops", ownerReferences },
      spec: pod,
    };
    await this.api.create(object);
    await this.report(name, ready, address);
  }

  /** What a scheduler does. */
  async bind(name: string, node: string): Promise<void> {
    const body = { apiVersion: "v1", kind: "Binding", metadata: { name }, target: { kind: "Node", name: node } };
    await this.api.ask({ method: "POST", path: `${PODS}/${name}/binding`, body });
  }

  async report(name: string, ready: boolean, address?: string): Promise<void> {
    const addresses = address === undefined ? {} : { podIP: address, podIPs: [{ ip: address }] };
    const conditions = [{ type: "Ready", status: ready ? "True" : "False" }];
    const body = { status: { phase: "Running", ...addresses, conditions } };
    await this.api.ask({ method: "PATCH", path: `${PODS}/${name}/status`, body, contentType: MERGE });
  }

  async removePod(name: string): Promise<void> {
    await this.api.ask({ method: "DELETE", path: `${PODS}/${name}`, body: { gracePeriodSeconds: 0 } });
  }

  async lease(): Promise<{ readonly holder: string | undefined; readonly transitions: number }> {
    const path = `/apis/coordination.k8s.io/v1/namespaces/lucid-mesh/leases/${CONTROLLER}`;
    const { spec } = (await this.api.ask({ method: "GET", path })) as unknown as {
      spec: { holderIdentity?: string; leaseTransitions?: number };
    };
    return { holder: spec.holderIdentity, transitions: spec.leaseTransitions ?? 0 };
  }

  async meshService(
    namespace: string,
    name: string,
  ): Promise<{
    readonly metadata: { readonly generation: number; readonly resourceVersion: string };
    readonly status?: MeshServiceStatus;
  }> {
    const path = `/apis/${MESH_SERVICE.apiVersion}/namespaces/${namespace}/${MESH_SERVICE.plural}/${name}`;
    return (await this.api.ask({ method: "GET", path })) as never;
  }

  async endReplicas(): Promise<void> {
    await Promise.all([...this.replicas].map((replica) => replica.end("SIGKILL")));
    this.replicas.clear();
  }

  async stop(): Promise<void> {
    await this.endReplicas();
    await this.api.stop();
    rmSync(this.folder, { recursive: true });
  }
}
