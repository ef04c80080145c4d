import assert from "node:assert/strict";
import { readCluster } from "../../../../policies/reachability/network";
import { container, deployment, findingsOf, reachabilityOf } from "./objects";

import { CLUSTER, policy, red, server } from "./mutations";

describe("network reachability: objects", () => {
  it("may be a list, as kubectl prints one", () => {
    const list = { apiVersion: "v1", kind: "List", items: [red, server, policy] };
    assert.equal(reachabilityOf([list]).workloads.length, 1);
    assert.match(findingsOf([{ apiVersion: "v1", kind: "List" }]).join(), /List, items: the list is none/);
  });

  it("of kinds without an effect on the network are passed over", () => {
    const configMap = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x", namespace: "red" } };
    assert.deepEqual(findingsOf([red, configMap]), []);
    const own = { apiVersion: "example.com/v1", kind: "Note", metadata: { name: "x" } };
    assert.deepEqual(findingsOf([own], { clusterAddresses: [], withoutEffect: ["example.com/Note"] }), []);
  });

  it("on the node's own network are a finding, and no part of the answer", () => {
    const host = deployment("red", "host", { spec: { hostNetwork: true } });
    const { cluster, findings } = readCluster([red, server, host, policy], CLUSTER);
    assert.deepEqual(
      findings.map(({ object, path }) => `${object}, ${path}`),
      ["Deployment red/host, spec.template.spec.hostNetwork"],
    );
    assert.deepEqual(
      cluster?.workloads.map(({ title }) => title),
      ["Deployment red/server"],
    );
  });

  it("make pods by every kind", () => {
    const template = { metadata: { labels: { app: "x" } }, spec: { containers: [container()] } };
    const metadata = { namespace: "red", name: "x" };
    const objects = [
      { apiVersion: "v1", kind: "Pod", metadata: { ...metadata, labels: { app: "x" } }, spec: template.spec },
      ...["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"].map((kind) => ({
        apiVersion: "apps/v1",
        kind,
        metadata,
        spec: { template },
      })),
      { apiVersion: "v1", kind: "ReplicationController", metadata, spec: { template } },
      { apiVersion: "batch/v1", kind: "Job", metadata, spec: { template } },
      { apiVersion: "batch/v1", kind: "CronJob", metadata, spec: { jobTemplate: { spec: { template } } } },
    ];
    const { workloads } = reachabilityOf([red, ...objects]);
    assert.equal(workloads.length, objects.length);
    for (const { labels } of workloads) assert.deepEqual(labels, { app: "x" });
  });

  it("need true addresses of the cluster", () => {
    assert.throws(
      () => readCluster([], { clusterAddresses: ["10.0.0.0"] }),
      /clusterAddresses: 10\.0\.0\.0 is no CIDR/,
    );
  });
});
