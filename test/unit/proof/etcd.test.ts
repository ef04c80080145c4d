import type * as pulumi from "@pulumi/pulumi";
import assert from "node:assert/strict";
import type { Mesh } from "../../../mesh";
import { planViolations } from "../../../proof";
import { timelineViolations } from "../../../proof/timeline";
import { revokedMesh } from "../envoy/revoked";
import { etcdSettings, lucid, rehearsed } from "./lucid";

const POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy";
interface PolicySpec {
  ingress: { from: object[]; ports: { protocol: string; port: number }[] }[];
  egress: { to: object[]; ports: { protocol: string; port: number }[] }[];
}

/** What the proof finds in Lucid's plan with etcd, one policy changed. */
async function violations(mesh: Mesh, name = "", change: (spec: PolicySpec) => void = () => undefined) {
  const opts: pulumi.ComponentResourceOptions = {
    transforms: [
      ({ type, name: own, props, opts: options }) => {
        if (type === POLICY && own === name) change((props as { spec: PolicySpec }).spec);
        return { props: props, opts: options };
      },
    ],
  };
  const resources = await rehearsed(mesh, opts, etcdSettings);
  return [...planViolations(mesh, etcdSettings, resources), ...timelineViolations(mesh, etcdSettings, resources)];
}

describe("the proof, with etcd as the discovery backend", function () {
  this.timeout(180_000);

  it("holds", async () => {
    assert.deepEqual(await violations(lucid), []);
  });

  it("holds while the controller is revoked", async () => {
    const mesh = revokedMesh("mesh-controller");
    assert.deepEqual(await violations(mesh), []);
  });

  it("finds a resolver that may be etcd's peer", async () => {
    const found = await violations(lucid, "mesh-etcd", ({ ingress }) => {
      for (const { ports } of ingress) ports.push({ protocol: "TCP", port: 2380 });
    });
    assert.ok(found.length > 0);
    for (const violation of found) assert.match(violation, /Mesh\/etcd/);
  });

  it("finds a controller that etcd does not let in", async () => {
    const found = await violations(lucid, "mesh-etcd", ({ ingress }) => {
      ingress[0]?.from.splice(0, 1);
    });
    assert.ok(
      found.some((violation) => /Mesh\/mesh-controller.*Mesh\/etcd/.test(violation)),
      found.join("\n"),
    );
  });
});
