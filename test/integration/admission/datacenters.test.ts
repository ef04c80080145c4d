import assert from "node:assert/strict";
import { datacenterMesh } from "../../unit/envoy/datacenters-fixture";
import { edit } from "../../policies/support/edit";
import type { Json, JsonObject } from "../../policies/support/edit";
import type { Manifest } from "./api";
import { assertRefused, Lab, plannedObjects } from "./lab";

const SETTINGS = { datacenter: "north", datacenterStacks: "{}" };
const LINK = ["Service", "lucid-edge", "datacenter-gateway"] as const;
const GATEWAY = ["NetworkPolicy", "lucid-edge", "datacenter-gateway"] as const;
const BILLING = ["NetworkPolicy", "lucid-ops", "billing"] as const;
const NAME = "app.kubernetes.io/name";

const pods = (zone: string, name: string): Json => ({
  namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": `lucid-${zone}` } },
  podSelector: { matchLabels: { [NAME]: name } },
});

/** What the API server lets a datacenter's links open, and nothing beside it. */
describe("admission of what a datacenter declares", function () {
  this.timeout(300_000);
  const mesh = datacenterMesh("north", true);
  let lab: Lab;
  let objects: readonly Manifest[];
  before(async () => {
    lab = await Lab.start(mesh, SETTINGS);
    objects = await plannedObjects(mesh, SETTINGS);
  });
  after(() => lab.stop());

  const planned = ([kind, namespace, name]: readonly [string, string, string]): Manifest =>
    objects.find(
      ({ kind: its, metadata }) => its === kind && metadata?.namespace === namespace && metadata.name === name,
    ) ?? assert.fail(`no ${kind} ${namespace}/${name} is planned`);

  for (const round of ["created", "applied again"]) {
    it(`lets every planned object be ${round}`, async () => {
      const refused: string[] = [];
      for (const object of objects) {
        const title = `${object.kind ?? "?"} ${object.metadata?.namespace ?? ""}/${object.metadata?.name ?? "?"}`;
        await lab.apply(object).catch((error: unknown) => refused.push(`${title}: ${String(error)}`));
      }
      assert.deepEqual(refused, []);
    });
  }

  const refused: readonly (readonly [
    title: string,
    of: readonly [string, string, string],
    path: string,
    value: Json | undefined,
    policy: string,
    says: RegExp,
  ])[] = [
    ["another port on the nodes", LINK, "spec.ports[0].nodePort", 30445, "lucid-services", /type is NodePort/],
    ["another port behind it", LINK, "spec.ports[0].targetPort", 15090, "lucid-services", /type is NodePort/],
    ["a port by name", LINK, "spec.ports[0].targetPort", "https", "lucid-services", /type is NodePort/],
    ["callers' addresses hidden", LINK, "spec.externalTrafficPolicy", "Cluster", "lucid-services", /type is NodePort/],
    ["other pods behind it", LINK, `spec.selector["${NAME}"]`, "rates", "lucid-services", /type is NodePort/],
    ["a load balancer", LINK, "spec.type", "LoadBalancer", "lucid-services", /type is LoadBalancer/],
    ["an address of its own", LINK, "spec.externalIPs", ["203.0.113.10"], "lucid-services", /address outside/],
    [
      "a second port",
      LINK,
      "spec.ports[1]",
      { name: "other", port: 15090, targetPort: 15090, nodePort: 30446, protocol: "TCP" },
      "lucid-services",
      /type is NodePort/,
    ],
    [
      "a way to elsewhere",
      GATEWAY,
      "spec.egress[4].to[0].ipBlock.cidr",
      "198.51.100.8/32",
      "lucid-network",
      /198\.51\.100\.8\/32 on 30443/,
    ],
    [
      "a way to a block",
      GATEWAY,
      "spec.egress[4].to[0].ipBlock.cidr",
      "198.51.100.0/28",
      "lucid-network",
      /198\.51\.100\.0\/28 on 30443/,
    ],
    ["a way to another port", GATEWAY, "spec.egress[4].ports[0].port", 443, "lucid-network", / on 443\/TCP/],
    [
      "anybody from outside",
      GATEWAY,
      "spec.ingress[2].from[0].ipBlock.cidr",
      "0.0.0.0/0",
      "lucid-network",
      /lets in 0\.0\.0\.0\/0 on 15001/,
    ],
    [
      "departures from outside",
      GATEWAY,
      "spec.ingress[2].ports[0].port",
      15443,
      "lucid-network",
      /lets in 198\.51\.100\.0\/28 on 15443/,
    ],
    [
      "inspection from outside",
      GATEWAY,
      "spec.ingress[2].ports[0].port",
      15090,
      "lucid-network",
      /lets in 198\.51\.100\.0\/28 on 15090/,
    ],
    [
      "Wallet's calls",
      GATEWAY,
      "spec.ingress[1].from[0]",
      pods("wallet", "payout-router"),
      "lucid-network",
      /lets in wallet\/payout-router on 15443/,
    ],
    [
      "callees that nobody calls",
      GATEWAY,
      "spec.egress[2].to[0]",
      pods("ops", "ledger"),
      "lucid-network",
      /ops\/ledger on 15001/,
    ],
    [
      "a pod beside the gateway that leaves",
      BILLING,
      "spec.egress[2].to[0]",
      { ipBlock: { cidr: "198.51.100.7/32" } },
      "lucid-network",
      /198\.51\.100\.7\/32 on 15443/,
    ],
  ];
  for (const [title, of, path, value, policy, says] of refused) {
    it(`refuses ${title}`, async () => {
      const object = edit(planned(of) as JsonObject, path, value) as Manifest;
      await assertRefused(lab.apply(object), policy, says);
    });
  }

  it("refuses the gateway's port to another Service, and its Service another name's pods", async () => {
    const link = planned(LINK);
    const taken = edit(link as JsonObject, "metadata.name", "other");
    // The port itself is free then: what refuses is the policy.
    await lab.remove(link);
    const foreign = edit(taken, `spec.selector["${NAME}"]`, "rates") as Manifest;
    await assertRefused(lab.apply(foreign), "lucid-services", /type is NodePort/);
    await lab.apply(link);
  });
});
