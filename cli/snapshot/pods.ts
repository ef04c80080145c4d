/** Consul's servers, and what takes snapshots beside them. */
import { CoreV1Api } from "@kubernetes/client-node";
import type { KubeConfig, V1Pod } from "@kubernetes/client-node";
import { execInPod } from "../../components/stack/pod-exec";
import type { ExecResult } from "../../components/stack/pod-exec";
import { CONSUL, LABELS, SNAPSHOTS, namespaceOf } from "../../mesh";
import { askPod } from "../check/cluster/forward";
import { CliError } from "../exit-status";

const NAMESPACE = namespaceOf("mesh");
const PATIENCE = 10_000;

/** A server whose container for snapshots runs. */
export interface Server {
  readonly name: string;
  readonly ip: string;
}

/** What snapshots are asked of: a cluster, by the API server. */
export class SnapshotCluster {
  constructor(private readonly config: KubeConfig) {}

  /** Servers in their order. A server need not be ready: without a leader none is, and a restore may be what they need. @throws CliError where none runs */
  async servers(): Promise<readonly Server[]> {
    const { items } = await this.core.listNamespacedPod({
      namespace: NAMESPACE,
      labelSelector: `${LABELS.name}=${CONSUL.service}`,
    });
    const running = items.flatMap((pod) => serverOf(pod) ?? []).sort((one, other) => (one.name < other.name ? -1 : 1));
    if (running.length === 0)
      throw new CliError(
        `no Consul server of ${NAMESPACE} runs with a container \`${SNAPSHOTS.container}\`; look at \`mesh check\``,
      );
    return running;
  }

  /** The server that leads, which any of them tells without a token. @throws CliError where there is none */
  async leader(servers: readonly Server[]): Promise<Server> {
    for (const server of servers) {
      const pod = { namespace: NAMESPACE, name: server.name };
      const answer = await askPod(this.config, pod, CONSUL.httpPort, "/v1/status/leader", PATIENCE).catch(
        () => undefined,
      );
      if (answer?.status !== 200) continue;
      const leader: unknown = JSON.parse(answer.body);
      const found = servers.find(({ ip }) => leader === `${ip}:${String(CONSUL.rpcPort)}`);
      if (found !== undefined) return found;
    }
    throw new CliError(
      "Consul has no leader: without a majority of its servers there is nothing to take or to restore to",
    );
  }

  /** Runs a command of what takes snapshots. @param line what it reads: never an argument, which others could see */
  run({ name }: Server, words: readonly string[], line?: string): Promise<ExecResult> {
    return execInPod(
      this.config,
      { namespace: NAMESPACE, name },
      {
        container: SNAPSHOTS.container,
        command: ["node", "/app/main.cjs", ...words],
        ...(line === undefined ? {} : { line }),
      },
    );
  }

  /** Consul's management token, where its servers start from it: the only one that an emptied Consul knows. @throws CliError */
  async managementToken({ name }: Server): Promise<string> {
    const secret = `${CONSUL.service}-config`;
    const { data } = await this.core.readNamespacedSecret({ name: secret, namespace: NAMESPACE });
    const config: unknown = JSON.parse(Buffer.from(data?.[`${name}.json`] ?? "", "base64").toString() || "null");
    const token = textAt(config, "acl", "tokens", "initial_management");
    if (token === undefined) throw new CliError(`Secret ${NAMESPACE}/${secret} holds no management token for ${name}`);
    return token;
  }

  private get core(): CoreV1Api {
    return this.config.makeApiClient(CoreV1Api);
  }
}

function serverOf({ metadata, status }: V1Pod): Server | undefined {
  const runs = status?.containerStatuses?.some(
    ({ name, state }) => name === SNAPSHOTS.container && state?.running !== undefined,
  );
  const [name, ip] = [metadata?.name, status?.podIP];
  return runs === true && name !== undefined && ip !== undefined ? { name, ip } : undefined;
}

function textAt(value: unknown, ...keys: readonly string[]): string | undefined {
  let found = value;
  for (const key of keys)
    found = typeof found === "object" && found !== null ? (found as Readonly<Record<string, unknown>>)[key] : undefined;
  return typeof found === "string" && found !== "" ? found : undefined;
}
