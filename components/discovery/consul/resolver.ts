import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { CONSUL, NODE_RESOLVER } from "../../../mesh/wire";
import { restrictedContainer, selectorLabels } from "../../pods/pod";
import type { Container } from "../../pods/pod-template";
import { IMAGES } from "../../versions";
import type { ResolverSource } from "../backend";
import { DISCOVERY_UID } from "../servers";
import type { ConsulCluster } from "./cluster";
import { CONSUL_AGENTS_SERVICE, CONSUL_PATHS, clientConfig } from "./config";
import { consulSecrets } from "./secrets";

export interface ConsulResolverArgs {
  readonly cluster: ConsulCluster;
  readonly servers: number;
  /** Where they run, where there are several datacenters. */
  readonly datacenter?: string | undefined;
  /** Token of the agents. */
  readonly agentToken: pulumi.Input<string>;
}

/** Answers from a Consul client agent on the pod's loopback; what the agent asks of the servers goes over Consul's TLS. */
export function consulResolverSource({ cluster, servers, datacenter, agentToken }: ConsulResolverArgs): ResolverSource {
  return {
    plugin: [`forward . 127.0.0.1:${CONSUL.dnsPort} {`, "    max_fails 0", "}"],
    attach: ({ name, metadata, leaf, rootsPem, resourceOptions }) => {
      const secrets = consulSecrets(name, {
        metadata,
        leaf,
        rootsPem,
        config: {
          "client.json": pulumi
            .all([cluster.gossipKey, agentToken])
            .apply(([gossipKey, token]) => clientConfig({ servers, gossipKey, agentToken: token, datacenter })),
        },
        resourceOptions,
      });
      const agents = new kubernetes.core.v1.Service(
        `${name}-agents`,
        {
          // An agent is found while it looks for servers: it is not ready then.
          metadata: { ...metadata, name: CONSUL_AGENTS_SERVICE, annotations: { "pulumi.com/skipAwait": "true" } },
          spec: {
            clusterIP: "None",
            publishNotReadyAddresses: true,
            selector: selectorLabels(NODE_RESOLVER.service),
            ports: [{ name: "gossip", port: CONSUL.gossipPort }],
          },
        },
        resourceOptions,
      );
      return {
        containers: [AGENT],
        volumes: [...secrets.volumes, { name: "data", emptyDir: { sizeLimit: "256Mi" } }],
        mounts: [],
        fsGroup: DISCOVERY_UID,
        annotations: {},
        waitFor: [cluster, agents, ...secrets.objects],
      };
    },
  };
}

const AGENT: Container = {
  name: "consul",
  image: IMAGES.consul,
  command: ["consul"],
  args: [
    "agent",
    `-config-file=${CONSUL_PATHS.config}/client.json`,
    `-node=${NODE_RESOLVER.service}-$(NODE_NAME)`,
    "-advertise=$(POD_IP)",
  ],
  env: [
    { name: "NODE_NAME", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } },
    { name: "POD_IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
  ],
  ports: [
    { name: "gossip", containerPort: CONSUL.gossipPort },
    { name: "gossip-udp", containerPort: CONSUL.gossipPort, protocol: "UDP" },
  ],
  resources: { requests: { cpu: "20m", memory: "64Mi" }, limits: { memory: "256Mi" } },
  securityContext: restrictedContainer(DISCOVERY_UID),
  volumeMounts: [
    { name: "config", mountPath: CONSUL_PATHS.config, readOnly: true },
    { name: "tls", mountPath: CONSUL_PATHS.certificates, readOnly: true },
    { name: "data", mountPath: CONSUL_PATHS.data },
  ],
};
