/** A mesh's admission policies on a real API server, and what it says to requests. */
import assert from "node:assert/strict";
import { admissionOf } from "../../../components";
import type { Mesh } from "../../../mesh";
import { MESH_SERVICE } from "../../../mesh/custom-resource";
import type { Plain } from "../../../policies/judgement/plain";
import { kindOf } from "../../../policies/kubernetes/object";
import { lucid, plannedResources } from "../../policies/support/planned";
import { eventually } from "../support/eventually";
import { ask, pathOf, Refusal } from "./api";
import type { ApiRequest, Manifest } from "./api";
import { type ControlPlane, startControlPlane } from "./control-plane";

/** Settings of a stack that are not the usual ones. */
type Settings = Readonly<Record<string, string>>;

export class Lab {
  private constructor(private readonly controlPlane: ControlPlane) {}

  /** A cluster with the namespaces and the policies of a mesh, which are in force. */
  static async start(mesh: Mesh = lucid, settings: Settings = {}): Promise<Lab> {
    const lab = new Lab(await startControlPlane());
    try {
      const objects = await plannedObjects(mesh, settings);
      const isPolicy = ({ kind }: Manifest) => kind?.startsWith("ValidatingAdmission") ?? false;
      for (const object of objects.filter(({ kind }) => kind === "Namespace")) await lab.apply(object);
      for (const object of objects.filter(isPolicy)) await lab.apply(object);
      for (const object of objects.filter(({ kind }) => kind === "CustomResourceDefinition")) await lab.apply(object);
      await lab.settled(objects);
      await lab.served(MESH_SERVICE);
      return lab;
    } catch (error) {
      await lab.stop();
      throw error;
    }
  }

  ask(request: ApiRequest): Promise<Manifest> {
    return ask(this.controlPlane.config, request);
  }

  /** Creates or changes an object, as Pulumi does: by server-side apply. */
  apply(object: Manifest, { user, dryRun = false }: { user?: string; dryRun?: boolean } = {}): Promise<Manifest> {
    const path = `${pathOf(object)}?fieldManager=test&force=true${dryRun ? "&dryRun=All" : ""}`;
    return this.ask({ method: "PATCH", path, body: object, contentType: "application/apply-patch+yaml", user });
  }

  create(object: Manifest, user?: string | { readonly manager: string }): Promise<Manifest> {
    const manager = typeof user === "object" ? `?fieldManager=${user.manager}` : "";
    const path = `${pathOf(object, "list")}${manager}`;
    return this.ask({ method: "POST", path, body: object, user: typeof user === "string" ? user : undefined });
  }

  remove(object: Manifest): Promise<Manifest> {
    const body = { gracePeriodSeconds: 0 };
    return this.ask({ method: "DELETE", path: pathOf(object), body });
  }

  /** Waits until the policies among some objects are in force. */
  settled(objects: readonly Manifest[]): Promise<void> {
    return admissionOf(this.controlPlane.config)(generationIn(objects));
  }

  /** Waits until the objects of a kind can be asked for. */
  async served({ apiVersion, plural }: { readonly apiVersion: string; readonly plural: string }): Promise<void> {
    await eventually(`${plural} being served`, () =>
      this.ask({ method: "GET", path: `/apis/${apiVersion}/namespaces/lucid-ops/${plural}` }),
    );
  }

  /** A kubeconfig of this cluster for who shows a token. */
  kubeconfigOf(token: string): string {
    const { config } = this.controlPlane;
    const cluster = config.getCurrentCluster();
    return JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [
        {
          name: "lab",
          cluster: {
            server: cluster?.server,
            "certificate-authority": cluster?.caFile,
            "certificate-authority-data": cluster?.caData,
          },
        },
      ],
      users: [{ name: "user", user: { token } }],
      contexts: [{ name: "lab", context: { cluster: "lab", user: "user" } }],
      "current-context": "lab",
    });
  }

  async stop(): Promise<void> {
    await this.controlPlane.stop();
  }
}

/** What a mesh's program would make in the cluster, in its order. */
export async function plannedObjects(mesh: Mesh = lucid, settings: Settings = {}): Promise<readonly Manifest[]> {
  const planned = await plannedResources(mesh, settings);
  return planned
    .filter(({ type }) => kindOf(type) !== undefined)
    .map(({ inputs }) => openSecrets(inputs) as unknown as Manifest);
}

/** One of them. */
export async function planned(kind: string, namespace: string, name: string, mesh: Mesh = lucid): Promise<Manifest> {
  const found = (await plannedObjects(mesh)).find(
    (object) =>
      object.kind === kind && object.metadata?.name === name && (object.metadata.namespace ?? "") === namespace,
  );
  assert.ok(found, `no ${kind} ${namespace}/${name} is planned`);
  return found;
}

/** The digest that the probe tells. */
function generationIn(objects: readonly Manifest[]): string {
  const probe = objects.find(
    ({ kind, metadata }) => kind === "ValidatingAdmissionPolicy" && metadata?.name === "lucid-in-force",
  );
  const { variables = [] } = (probe?.spec ?? {}) as { variables?: readonly { expression: string }[] };
  return JSON.parse(variables[0]?.expression ?? '""') as string;
}

/** Key of the envelope in which secrets reach a recorder. */
const SECRET = "4dabf18193072939515e22adb298388d";

function openSecrets(value: Plain): Plain {
  if (Array.isArray(value)) return value.map((item: Plain) => openSecrets(item));
  if (typeof value !== "object" || value === null) return value;
  const map = value as Readonly<Record<string, Plain>>;
  if (SECRET in map) return openSecrets(map.value ?? null);
  return Object.fromEntries(Object.entries(map).map(([key, field]) => [key, openSecrets(field)]));
}

/** Asserts that the API server refuses a request by a policy of this name, with this message. */
export async function assertRefused(request: Promise<unknown>, policy: string, message: RegExp): Promise<void> {
  await assert.rejects(request, (error: unknown) => {
    assert.ok(error instanceof Refusal, String(error));
    assert.match(error.message, new RegExp(`ValidatingAdmissionPolicy '${policy}'`));
    assert.match(error.message, message);
    return true;
  });
}
