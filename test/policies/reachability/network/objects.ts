import assert from "node:assert/strict";
import { Reachability, readCluster } from "../../../../policies/reachability/network";
import type { Surroundings, Workload } from "../../../../policies/reachability/network";
import type { Json, JsonObject } from "../../support/edit";

/** Objects as `kubectl get -o json` gives them, and questions about them. */

export function namespace(name: string, labels: JsonObject = {}): JsonObject {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } };
}

export function container(...ports: JsonObject[]): JsonObject {
  return { name: "app", image: "app:1.0.0", ports };
}

/** A Deployment `<name>` whose pods bear `app: <name>`. */
export function deployment(
  place: string,
  name: string,
  { labels = {}, spec = {} }: { labels?: JsonObject; spec?: JsonObject } = {},
): JsonObject {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: place },
    spec: {
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name, ...labels } }, spec: { containers: [container()], ...spec } },
    },
  };
}

export function networkPolicy(place: string, name: string, spec: JsonObject): JsonObject {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name, namespace: place },
    spec,
  };
}

/** A selector of one app. */
export function app(name: string): JsonObject {
  return { matchLabels: { app: name } };
}

const NOWHERE: Surroundings = { clusterAddresses: [] };

/** The computed reachability. Fails where an object can't be judged. */
export function reachabilityOf(objects: readonly Json[], surroundings: Surroundings = NOWHERE): Reachability {
  const { cluster, findings } = readCluster(objects, surroundings);
  assert.ok(cluster !== undefined, JSON.stringify(findings, undefined, 2));
  return new Reachability(cluster);
}

/** A workload by `<namespace>/<name>`. */
export function workload(reachability: Reachability, name: string): Workload {
  const found = reachability.workloads.find((one) => `${one.namespace.name}/${one.name}` === name);
  assert.ok(found !== undefined, `no workload ${name}`);
  return found;
}

/** Ports on which one workload reaches another, as text. */
export function ports(objects: readonly Json[], from: string, to: string): string {
  const reachability = reachabilityOf(objects);
  return reachability.between(workload(reachability, from), workload(reachability, to)).ports.toString();
}

/** Findings as `object, path: problem; mend`. */
export function findingsOf(objects: readonly Json[], surroundings: Surroundings = NOWHERE): string[] {
  return readCluster(objects, surroundings).findings.map(
    ({ object, path, problem, mend }) => `${object}, ${path}: ${problem}; ${mend}`,
  );
}
