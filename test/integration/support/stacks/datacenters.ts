/** A mesh in two datacenters: the usual embedded cluster and another one beside it, joined; each with a stack of its own. */
import { execFile, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";
import { dump } from "js-yaml";
import { binDir, checkoutDir, kubeconfigPath } from "../../../../dev/paths";
import type { Mesh, Service } from "../../../../mesh";
import type { Ceiling } from "../../../../policies/ceiling";
import type { Run } from "../../../run-pulumi";
import { policyConfig } from "../ceiling";
import { clusterOf } from "../cluster";
import type { Cluster } from "../cluster";
import { DATACENTERS, NETWORKS, NODE_PORTS, OTHER, ceilingOf, documentOf, meshesOf } from "./datacenters-document";
import type { Datacenter, Place, Places } from "./datacenters-document";
import { runOn } from "./side-stacks";

const KUBECONFIGS = {
  north: kubeconfigPath,
  south: path.join(checkoutDir, ".state", OTHER, "kubeconfig"),
} as const;
const FOLDER = path.join(checkoutDir, ".state", "datacenters");

/** The two datacenters, from their clusters' start to their end. */
export class Datacenters {
  private constructor(
    private readonly places: Places,
    readonly clusters: Readonly<Record<Datacenter, Cluster>>,
    readonly meshes: Readonly<Record<Datacenter, Mesh>>,
  ) {}

  /** Brings the other cluster up beside the usual one, joins the two, and writes the document. Nothing is deployed. */
  static async start(): Promise<Datacenters> {
    await otherCluster("up");
    await otherCluster("link");
    const clusters = { north: clusterOf(KUBECONFIGS.north), south: clusterOf(KUBECONFIGS.south) };
    const places = { north: await placeOf("north", clusters.north), south: await placeOf("south", clusters.south) };
    return new Datacenters(places, clusters, writeDocument(places));
  }

  service(datacenter: Datacenter, name: string): Service {
    const found = this.meshes[datacenter].services.find((service) => service.name === name);
    if (found === undefined) throw new Error(`${name} doesn't run in ${datacenter}`);
    return found;
  }

  /** Where the others reach a datacenter's gateway. */
  gateway(datacenter: Datacenter): { readonly address: string; readonly port: number } {
    const [address = ""] = this.places[datacenter].addresses;
    return { address, port: NODE_PORTS[datacenter] };
  }

  /** `pulumi up` of a datacenter's stack, with the policy pack and its ceiling. Its failure is a result, not an error. @param settings besides its own */
  up(datacenter: Datacenter, settings: Readonly<Record<string, string>> = {}): Promise<Run> {
    return this.run(datacenter, { settings }, "up", "--yes", "--skip-preview");
  }

  /** `pulumi preview` of it. @param change of the ceiling */
  preview(datacenter: Datacenter, change: Partial<Ceiling>): Promise<Run> {
    return this.run(datacenter, { ceiling: change }, "preview");
  }

  private run(
    datacenter: Datacenter,
    changes: { readonly ceiling?: Partial<Ceiling>; readonly settings?: Readonly<Record<string, string>> },
    ...args: readonly string[]
  ): Promise<Run> {
    const ceiling = { ...ceilingOf(datacenter, this.places, this.meshes), ...changes.ceiling };
    const file = path.join(FOLDER, `ceiling-${datacenter}.json`);
    writeFileSync(file, JSON.stringify(policyConfig(ceiling)));
    const stack = stackOf(datacenter);
    const settings = { ...stack.settings, ...changes.settings };
    return runOn({ ...stack, settings }, ...args, "--policy-pack", "policies", "--policy-pack-config", file);
  }
}

/**
 * Takes away both stacks and the other cluster, as far as they are there.
 *
 * @throws Error with what Pulumi said, where the stack on the usual cluster could not be destroyed: what it left is in the way of whatever is deployed there next
 */
export async function endDatacenters(): Promise<void> {
  const ended: Partial<Record<Datacenter, Run>> = {};
  for (const datacenter of [...DATACENTERS].reverse()) {
    const { status, output } = (ended[datacenter] = await runOn(stackOf(datacenter), "destroy", "--yes"));
    if (status !== 0) console.log(output);
  }
  await otherCluster("down");
  // With its cluster all that the stack made is gone, whether it could be destroyed or not.
  await runOn(stackOf("south"), "stack", "rm", "--force", "--yes");
  if (ended.north?.status !== 0)
    throw new Error(`datacenter north could not be destroyed:\n${ended.north?.output ?? ""}`);
}

/** Resolves the document for both, once it is written beside the keys that it names. */
function writeDocument(places: Places): Readonly<Record<Datacenter, Mesh>> {
  mkdirSync(path.join(FOLDER, "keys"), { recursive: true });
  const document = documentOf(places);
  writeFileSync(path.join(FOLDER, "mesh.yaml"), dump(document, { lineWidth: -1, noRefs: true }));
  for (const name of DATACENTERS) writeFileSync(path.join(FOLDER, "keys", `${name}.json`), places[name].keySet);
  return meshesOf(places);
}

function stackOf(datacenter: Datacenter) {
  const { services, controlPlaneAddress } = NETWORKS[datacenter];
  const other = datacenter === "north" ? "south" : "north";
  const inServices = (host: number) => services.replace(/\.0\.0\/\d+$/, `.64.${String(host)}`);
  const relative = path.relative(checkoutDir, path.dirname(KUBECONFIGS[datacenter]));
  return {
    name: `datacenters-${datacenter}`,
    folder: "datacenters",
    passphrase: `of datacenter ${datacenter}`,
    kubeconfig: KUBECONFIGS[datacenter],
    settings: {
      datacenter,
      datacenterStacks: JSON.stringify({ [other]: `organization/lucid-mesh/datacenters-${other}` }),
      document: path.relative(checkoutDir, path.join(FOLDER, "mesh.yaml")),
      kubeconfig: path.join(relative, "kubeconfig"),
      dockerHost: `unix://${path.join(relative, "docker.sock")}`,
      apiServerCidr: `${controlPlaneAddress}/32`,
      nodeResolverIp: inServices(53),
      consulIp: inServices(54),
      consulServers: "1",
      tracingEnabled: "false",
    },
  };
}

/** A command of `npm run cluster` for the other cluster, in a process of its own: which one is meant is read once. @throws Error with what it said */
function otherCluster(command: "up" | "link" | "down"): Promise<void> {
  return new Promise((resolve, reject) => {
    const main = path.join(checkoutDir, "dev", "cluster", "main.ts");
    const env = { ...process.env, LUCID_MESH_CLUSTER: OTHER };
    const child = spawn(process.execPath, ["--import", "tsx", main, command], { cwd: checkoutDir, env });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`cluster ${OTHER}: ${command} ended with ${String(code)}\n${output}`));
    });
  });
}

/** What a cluster itself says of where it is, and whose tokens it issues. */
async function placeOf(datacenter: Datacenter, { core }: Cluster): Promise<Place> {
  const nodes = (await core.listNode()).items;
  const raw = async (url: string) => {
    const args = ["--kubeconfig", KUBECONFIGS[datacenter], "get", "--raw", url];
    return (await promisify(execFile)(path.join(binDir(), "kubectl"), args)).stdout;
  };
  const { issuer } = JSON.parse(await raw("/.well-known/openid-configuration")) as { readonly issuer: string };
  return {
    addresses: nodes.flatMap(
      ({ status }) => status?.addresses?.find(({ type }) => type === "InternalIP")?.address ?? [],
    ),
    pods: nodes.flatMap(({ spec }) => spec?.podCIDR ?? []),
    issuer,
    keySet: await raw("/openid/v1/jwks"),
  };
}
