import type * as kubernetes from "@pulumi/kubernetes";
import { CONSUL, SNAPSHOTS } from "../../../mesh/wire";
import { restrictedContainer } from "../../pods/pod";
import type { Container } from "../../pods/pod-template";
import type { PushedImage } from "../../service-image";
import { DISCOVERY_UID } from "../servers";
import { CONSUL_PATHS } from "./config";

/**
 * Secret with the token by which snapshots are taken. It comes after the servers, for Consul itself makes the token: their pods start without it, and kubelet brings it
 * to them.
 */
export const SNAPSHOT_SECRET = `${CONSUL.service}-snapshots`;

const TRUST_PATH = "/etc/consul/trust";
const TOKEN_PATH = "/etc/consul/snapshots";
const [CLAIM, TOKEN_VOLUME, TRUST_VOLUME] = ["snapshots", "snapshot-token", "snapshot-trust"];

export interface ConsulSnapshotsArgs {
  readonly image: PushedImage;
  /** Minutes between two snapshots. */
  readonly intervalMinutes: number;
  /** Snapshots that each server keeps. */
  readonly kept: number;
}

/** What takes snapshots, as a part of each server's pod. */
export interface ConsulSnapshots {
  readonly container: Container;
  readonly volumes: kubernetes.types.input.core.v1.Volume[];
  /** Name of the volume that each server's snapshots lie on: not that of its state, with which they would be lost. */
  readonly claim: string;
}

/**
 * The container beside each Consul server that takes snapshots while its server leads. It asks that server alone, on the pod's loopback and under TLS, and has of the
 * server's Secrets the roots and no key.
 */
export function consulSnapshots({
  image,
  intervalMinutes,
  kept,
  serverName,
}: ConsulSnapshotsArgs & {
  /** Name that the servers' certificate bears. */
  readonly serverName: string;
}): ConsulSnapshots {
  return {
    claim: CLAIM,
    container: {
      name: SNAPSHOTS.container,
      image: image.reference,
      env: [
        { name: "POD_IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
        { name: "CONSUL_RAFT_ADDRESS", value: `$(POD_IP):${CONSUL.rpcPort}` },
        { name: "CONSUL_HTTP_ADDR", value: `https://127.0.0.1:${CONSUL.httpsPort}` },
        { name: "CONSUL_CACERT", value: `${TRUST_PATH}/ca.crt` },
        { name: "CONSUL_TLS_SERVER_NAME", value: serverName },
        { name: "CONSUL_HTTP_TOKEN_FILE", value: `${TOKEN_PATH}/${SNAPSHOTS.tokenFile}` },
        { name: "SNAPSHOTS_DIR", value: CONSUL_PATHS.snapshots },
        { name: "SNAPSHOT_INTERVAL", value: String(intervalMinutes * 60) },
        { name: "SNAPSHOTS_KEPT", value: String(kept) },
        { name: "SNAPSHOT_METRICS_PORT", value: String(SNAPSHOTS.metricsPort) },
      ],
      // No probe: a server whose snapshots fail serves all the same. That they do is told by metrics and `mesh check`.
      resources: { requests: { cpu: "10m", memory: "48Mi" }, limits: { memory: "192Mi" } },
      securityContext: restrictedContainer(DISCOVERY_UID),
      volumeMounts: [
        { name: CLAIM, mountPath: CONSUL_PATHS.snapshots },
        { name: TRUST_VOLUME, mountPath: TRUST_PATH, readOnly: true },
        { name: TOKEN_VOLUME, mountPath: TOKEN_PATH, readOnly: true },
      ],
    },
    volumes: [
      {
        name: TRUST_VOLUME,
        secret: { secretName: `${CONSUL.service}-tls`, items: [{ key: "ca.crt", path: "ca.crt" }] },
      },
      { name: TOKEN_VOLUME, secret: { secretName: SNAPSHOT_SECRET, optional: true } },
    ],
  };
}
