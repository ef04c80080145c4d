import { Unjudgeable } from "../../../judgement/field";
import type { Field } from "../../../judgement/field";
import { isPort, isProtocol } from "../../sets/port-set";
import type { Protocol } from "../../sets/port-set";
import { presentText, requiredText } from "./fields";
import type { NamedPort } from "../model";
import type { Labels } from "../selector";

/** Where each kind that makes pods keeps their template. */
export const TEMPLATE_PATHS: Readonly<Record<string, readonly string[]>> = {
  "v1/Pod": [],
  "v1/ReplicationController": ["spec", "template"],
  "apps/v1/Deployment": ["spec", "template"],
  "apps/v1/StatefulSet": ["spec", "template"],
  "apps/v1/DaemonSet": ["spec", "template"],
  "apps/v1/ReplicaSet": ["spec", "template"],
  "batch/v1/Job": ["spec", "template"],
  "batch/v1/CronJob": ["spec", "jobTemplate", "spec", "template"],
};

/** What of a pod template decides at the network layer. */
export interface PodNetwork {
  readonly account: string;
  readonly labels: Labels;
  readonly namedPorts: readonly NamedPort[];
  /** Where the pods use the node's own network: no NetworkPolicy holds for them. */
  readonly hostNetwork: Field | undefined;
}

/** Reads a pod template. @throws Unjudgeable */
export function readPodNetwork(template: Field): PodNetwork {
  const spec = template.at("spec");
  if (spec.isEmpty) throw new Unjudgeable(spec.path, "nothing of the pods is known", "give their spec as plain values");
  const hostNetwork = spec.at("hostNetwork");
  if (!hostNetwork.isAbsentOr(false) && !hostNetwork.is(true))
    throw new Unjudgeable(hostNetwork.path, `is ${hostNetwork.shown()}`, "give it as true or false");
  return {
    // Kubernetes puts pods that name none under the namespace's own.
    account: spec.at("serviceAccountName").text() ?? "default",
    labels: readLabels(template.at("metadata", "labels")),
    namedPorts: readNamedPorts(spec),
    hostNetwork: hostNetwork.is(true) ? hostNetwork : undefined,
  };
}

/** @throws Unjudgeable */
export function readLabels(field: Field): Labels {
  return Object.fromEntries(field.entries().map(([key, value]) => [key, presentText(value)]));
}

/**
 * Named ports of the containers that run beside each other: containers, and init containers that are sidecars (`restartPolicy: Always`), as the
 * API's own `FindPort` counts them. Some enforcers (kube-router 2.2) look at containers alone.
 *
 * @throws Unjudgeable
 */
function readNamedPorts(spec: Field): NamedPort[] {
  const sidecars = spec.at("initContainers").items().filter(isSidecar);
  const found = new Map<string, NamedPort>();
  for (const field of [...spec.at("containers").items(), ...sidecars].flatMap((container) =>
    container.at("ports").items(),
  )) {
    const port = readContainerPort(field);
    if (port === undefined) continue;
    const key = `${port.name}/${port.protocol}`;
    const other = found.get(key);
    if (other !== undefined && other.port !== port.port)
      throw new Unjudgeable(
        field.path,
        `two ports are named ${key}, so which one a NetworkPolicy means depends on who enforces it`,
        "give each its own name",
      );
    found.set(key, port);
  }
  return [...found.values()];
}

function isSidecar(container: Field): boolean {
  return container.at("restartPolicy").text() === "Always";
}

function readContainerPort(field: Field): NamedPort | undefined {
  const hostPort = field.at("hostPort");
  if (!hostPort.isAbsentOr(0))
    throw new Unjudgeable(
      hostPort.path,
      "the node's own address leads to the pod, past what NetworkPolicies can tell apart",
      "take it out",
    );
  const protocol = readProtocol(field.at("protocol"));
  const number = field.at("containerPort").number();
  if (number === undefined || !isPort(number))
    throw new Unjudgeable(
      field.at("containerPort").path,
      `${field.at("containerPort").shown()} is no port`,
      "give a number from 1 to 65535",
    );
  const name = field.at("name");
  return name.isAbsent ? undefined : { name: requiredText(name), protocol, port: number };
}

/** A protocol; TCP where none is named. @throws Unjudgeable */
export function readProtocol(field: Field): Protocol {
  const text = field.text() ?? "TCP";
  if (isProtocol(text)) return text;
  throw new Unjudgeable(field.path, `${field.shown()} is no protocol`, "use TCP, UDP or SCTP");
}
