import assert from "node:assert/strict";

import { cniConfiguration } from "../../../dev/cluster/components/node";
import { maxNodes, nodeMachine, nodeMachines, rootCgroup, stateFiles } from "../../../dev/cluster/layout";
import { hostsFile } from "../../../dev/cluster/machines";
import { saysReady } from "../../../dev/cluster/ready";

describe("the embedded cluster's layout", () => {
  it("numbers nodes from 10.77.0.10 and 10.244.1.0/24 on", () => {
    assert.deepEqual(nodeMachine(1), { name: "node1", address: "10.77.0.10", index: 1, podCidr: "10.244.1.0/24" });
    assert.deepEqual(nodeMachine(3), { name: "node3", address: "10.77.0.12", index: 3, podCidr: "10.244.3.0/24" });
  });

  it("gives no two nodes an address or pod network in common, and every one a valid address", () => {
    const nodes = nodeMachines(maxNodes);
    assert.equal(new Set(nodes.map(({ address }) => address)).size, maxNodes);
    assert.equal(new Set(nodes.map(({ podCidr }) => podCidr)).size, maxNodes);
    for (const { address, podCidr } of nodes) {
      assert.ok([...address.split("."), ...podCidr.split(/[./]/)].every((part) => Number(part) <= 255));
    }
  });

  for (const bad of [0, -1, 1.5, maxNodes + 1, NaN]) {
    it(`refuses node ${String(bad)}`, () => {
      assert.throws(() => nodeMachine(bad), /nodes are counted from 1/);
    });
  }

  it("keeps clusters of different states apart by their cgroups", () => {
    assert.equal(rootCgroup("/usual", "/usual"), "lucid-mesh");
    const other = rootCgroup("/other", "/usual");
    assert.match(other, /^lucid-mesh-[0-9a-f]{8}$/);
    assert.notEqual(other, rootCgroup("/third", "/usual"));
  });

  it("keeps everything below the state directory", () => {
    const files = stateFiles("/state");
    const paths = [files.pki, files.run, files.logs, files.volumes, files.record, files.kubeconfig, files.dockerSocket];
    for (const file of [...paths, files.machine(nodeMachine(1), "lib"), files.log(nodeMachine(1), "etcd")]) {
      assert.ok(file.startsWith("/state/"), file);
    }
  });

  it("tells every machine where the registry is", () => {
    assert.match(hostsFile(nodeMachine(2)), /^10\.77\.0\.2 registry\.lucid\.internal$/m);
    assert.match(hostsFile(nodeMachine(2)), /^10\.77\.0\.11 node2$/m);
  });

  it("routes pods without translation and without IPv6, so that policies see their addresses", () => {
    const text = JSON.stringify(cniConfiguration(nodeMachine(2)));
    assert.match(text, /"ipMasq":false/);
    assert.match(text, /"subnet":"10\.244\.2\.0\/24"/);
    assert.match(text, /"net\.ipv6\.conf\.eth0\.disable_ipv6":"1"/);
  });
});

describe("the report of a node", () => {
  const at = (status: string, lastHeartbeatTime: string): Parameters<typeof saysReady>[0] => ({
    metadata: { name: "node1" },
    status: { conditions: [{ type: "Ready", status, lastHeartbeatTime }] },
  });
  const since = Date.parse("2026-01-01T00:00:10.900Z");

  it("counts when it says ready", () => {
    assert.equal(saysReady(at("True", "2026-01-01T00:00:00Z"), undefined), true);
    assert.equal(saysReady(at("False", "2026-01-01T00:00:00Z"), undefined), false);
    assert.equal(saysReady({ metadata: { name: "node1" } }, undefined), false);
  });

  it("does not count when it is older than the kubelet's start", () => {
    assert.equal(saysReady(at("True", "2026-01-01T00:00:09Z"), since), false);
    assert.equal(saysReady(at("True", "2026-01-01T00:00:10Z"), since), true);
  });
});
