import assert from "node:assert/strict";
import { parseSettings } from "../../../components";
import type { Mesh, Settings } from "../../../components";
import { identityOf } from "../../../mesh";
import { planViolations } from "../../../proof";
import { readTimeline, timelineViolations } from "../../../proof/timeline";
import { CHANGES, changedMesh, datacenterMesh, type Change, type DatacenterName } from "../envoy/datacenters-fixture";
import { rehearsed, settings } from "./lucid";

const CONFIG = {
  apiServerCidr: settings.apiServerCidr,
  nodeResolverIp: settings.nodeResolverIp,
  consulIp: "10.96.64.54",
  datacenterStacks: "{}",
};

const POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy";

/** One of several datacenters, with the stack's configuration. */
function datacenter(
  name: DatacenterName,
  changes: Readonly<Record<string, string>> = {},
  change?: Change,
): { readonly mesh: Mesh; readonly under: Settings } {
  const mesh = change === undefined ? datacenterMesh(name, true) : changedMesh(name, change, true);
  return { mesh, under: parseSettings({ ...CONFIG, datacenter: name, ...changes }) };
}

interface Rule {
  to?: { ipBlock?: { cidr: string } }[];
  from?: { ipBlock?: { cidr: string } }[];
  ports: { port: number }[];
}

describe("the program of a datacenter, proven", function () {
  this.timeout(120_000);

  for (const name of ["north", "south", "east"] as const) {
    it(`opens exactly what its document declares there: ${name}`, async () => {
      const { mesh, under } = datacenter(name);
      const resources = await rehearsed(mesh, {}, under);
      assert.deepEqual(planViolations(mesh, under, resources), []);
      assert.deepEqual(timelineViolations(mesh, under, resources), []);
    });
  }

  for (const change of CHANGES) {
    it(`is deployed in each datacenter where ${change.title}`, async () => {
      for (const name of ["north", "south", "east"] as const) {
        const { mesh, under } = datacenter(name, {}, change);
        assert.deepEqual(planViolations(mesh, under, await rehearsed(mesh, {}, under)), [], name);
      }
    });
  }

  it("opens as much, and no instant without trust, where issuers make the certificates", async () => {
    const { mesh, under } = datacenter("north", { autoRotateCerts: "true" });
    const resources = await rehearsed(mesh, {}, under);
    assert.deepEqual(planViolations(mesh, under, resources), []);
    assert.deepEqual(timelineViolations(mesh, under, resources), []);
    const { certificates } = readTimeline(mesh, under, resources).timeline;
    const issued = [...certificates.values()].filter(({ madeBy }) => madeBy === "issuer");
    assert.ok(issued.some(({ subject }) => subject === identityOf("datacenter-gateway", "edge", "north")));
    for (const { subject } of issued) assert.match(subject, /^spiffe:\/\/[a-z]+\.north\.lucid\.internal\//);
  });

  const changes: [
    title: string,
    policy: string,
    change: (spec: { egress: Rule[]; ingress: Rule[] }) => void,
    told: RegExp,
  ][] = [
    [
      "a pod beside the gateway that may go to another datacenter",
      "ops-billing",
      ({ egress }) => egress.push({ to: [{ ipBlock: { cidr: "198.51.100.7/32" } }], ports: [{ port: 30444 }] }),
      /network: Ops\/billing can reach 198\.51\.100\.7/,
    ],
    [
      "a gateway that may go elsewhere than to those it is linked to",
      "edge-datacenter-gateway",
      ({ egress }) => {
        for (const peer of egress.flatMap(({ to = [] }) => to))
          if (peer.ipBlock?.cidr === "198.51.100.7/32") peer.ipBlock.cidr = "198.51.100.0/24";
      },
      /network: Edge\/datacenter-gateway can reach 198\.51\.100\./,
    ],
    [
      "others outside than the declared gateways that may come in",
      "edge-datacenter-gateway",
      ({ ingress }) => {
        for (const peer of ingress.flatMap(({ from = [] }) => from))
          if (peer.ipBlock !== undefined) peer.ipBlock.cidr = "198.51.0.0/16";
      },
      /network: .*can reach Edge\/datacenter-gateway/,
    ],
    [
      "a gateway that others outside can't reach",
      "edge-datacenter-gateway",
      (spec) => {
        spec.ingress = spec.ingress.filter(({ from = [] }) => from.every(({ ipBlock }) => ipBlock === undefined));
      },
      /network: .*can't reach Edge\/datacenter-gateway/,
    ],
  ];
  for (const [title, policy, change, told] of changes) {
    it(`is refused with ${title}`, async () => {
      const { mesh, under } = datacenter("north");
      let changed = false;
      const transforms = [
        (args: { type: string; name: string; props: Record<string, unknown>; opts: object }) => {
          if (args.type === POLICY && args.name === policy) {
            change(args.props.spec as { egress: Rule[]; ingress: Rule[] });
            changed = true;
          }
          return { props: args.props, opts: args.opts };
        },
      ];
      const violations = planViolations(mesh, under, await rehearsed(mesh, { transforms }, under));
      assert.ok(changed, `no policy ${policy}`);
      assert.ok(
        violations.some((violation) => told.test(violation)),
        violations.join("\n") || "nothing was told",
      );
    });
  }

  it("is refused where the stack's configuration names another datacenter", async () => {
    const { mesh, under } = datacenter("north");
    const resources = await rehearsed(mesh, {}, under);
    assert.notDeepEqual(planViolations(mesh, datacenter("east").under, resources), []);
  });
});
