import * as docker from "@pulumi/docker";
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import assert from "node:assert/strict";
import {
  ServiceMesh,
  SettingsError,
  parseSettings,
  type DatacenterData,
  type ToldDatacenters,
} from "../../../components";
import { parseDatacenterData } from "../../../components/datacenters/datacenter-data";
import { readDatacenters, trustElsewhere, withdrawnElsewhere } from "../../../components/datacenters/read-datacenters";
import { crossingZones } from "../../../components/datacenters/tell-datacenter";
import { trustInNobody } from "../../../components/identity/nobody";
import { consulNetwork } from "../../../components/discovery/consul/network";
import { networkPolicies } from "../../../components/network/network-policies";
import type { NetworkPolicySpec, NetworkPolicyPeer } from "../../../components/network/network-peers";
import { fromYaml } from "../../../envoy/yaml";
import { trustDomainOf, type Mesh } from "../../../mesh";
import { Authority } from "../../integration/envoy/pki";
import { CHANGES, changedMesh, datacenterMesh, type DatacenterName } from "../envoy/datacenters-fixture";
import { installMocks, recorded, settled } from "./mocks";

const CONFIG = { apiServerCidr: "10.77.0.10/32", nodeResolverIp: "10.96.64.53", consulIp: "10.96.64.54" };
const STACKS = { south: "acme/lucid-mesh/south", east: "told/east.json" };
const SETTINGS = { ...CONFIG, datacenter: "north", datacenterStacks: JSON.stringify(STACKS) };

/** What a datacenter tells of these zones, with authorities of the test's own, which are those of its zone `ops`. */
async function tellingOf(datacenter: string, zones: readonly string[] = ["ops"]): Promise<DatacenterData> {
  const { roots, revocations } = await (await Authority.create(trustDomainOf("ops", datacenter))).bundle();
  return {
    format: 2,
    datacenter,
    trust: Object.fromEntries(zones.map((zone) => [zone, { rootsPem: roots, revocationsPem: revocations }])),
    withdrawn: [],
    believes: [],
    document: "d",
  };
}

describe("a stack's datacenter", () => {
  it("is read with where the stacks of the others are", () => {
    const { datacenter, datacenterStacks } = parseSettings(SETTINGS);
    assert.equal(datacenter, "north");
    assert.deepEqual(datacenterStacks, STACKS);
  });

  for (const [title, changes, message] of [
    ["no name", { datacenter: "North" }, /datacenter: is no datacenter's name/],
    ["stacks without a datacenter", { datacenter: undefined }, /datacenterStacks: says nothing without/],
    ["stacks that are no JSON", { datacenterStacks: "south" }, /datacenterStacks: /],
    ["a stack that is no name", { datacenterStacks: '{"south": "south"}' }, /datacenterStacks: south is neither/],
    ["a part", { part: "ops" }, /part: .*deployed by one stack/],
    ["etcd", { discoveryBackend: "etcd", etcdIp: "10.96.64.55" }, /discoveryBackend: .*take consul/],
  ] as const) {
    it(`refuses ${title}`, () => {
      const raw = Object.fromEntries(
        Object.entries({ ...SETTINGS, ...changes }).filter(([, value]) => value !== undefined),
      ) as Record<string, string>;
      assert.throws(
        () => parseSettings(raw),
        (error) => error instanceof SettingsError && message.test(error.message),
      );
    });
  }
});

describe("what datacenters tell each other", () => {
  const mesh = datacenterMesh("north");
  const declaration = (stacks: unknown) => ({
    mesh,
    settings: parseSettings({ ...SETTINGS, datacenterStacks: JSON.stringify(stacks) }),
    text: "the document",
  });
  const own = "acme/lucid-mesh/north";
  const asking = (outputs: Record<string, Record<string, unknown>>) => (stack: string) =>
    Promise.resolve(outputs[stack]);

  before(installMocks);

  it("is their zones' trust, of zones alone whose services cross", () => {
    assert.deepEqual(crossingZones(mesh), ["ops", "edge"]);
    assert.deepEqual(crossingZones(datacenterMesh("east")), ["ops", "chain", "edge"]);
  });

  it("is read from their stacks' outputs", async () => {
    const south = await tellingOf("south");
    const told = await readDatacenters(
      declaration({ south: STACKS.south, east: null }),
      asking({ [STACKS.south]: { datacenter: south } }),
      own,
    );
    assert.deepEqual([...(told?.told.keys() ?? [])], ["south"]);
    const trust = trustElsewhere(mesh, told);
    assert.deepEqual(trust["ops.south"], south.trust.ops);
    // Whoever told nothing is believed by a root whose key nobody has.
    assert.deepEqual(trust["ops.east"], trustInNobody("ops.east"));
    assert.deepEqual(Object.keys(trust).sort(), ["chain.east", "edge.east", "edge.south", "ops.east", "ops.south"]);
  });

  it("is what was withdrawn there, which concerns the same zones as peers here name them", async () => {
    const withdrawn = [
      { zone: "ops", service: "ledger", what: "5a" },
      { zone: "edge", what: "root 1" },
    ];
    const telling = { ...(await tellingOf("south")), withdrawn };
    const told = await readDatacenters(
      declaration({ south: STACKS.south, east: null }),
      asking({ [STACKS.south]: { datacenter: telling } }),
      own,
    );
    assert.deepEqual(withdrawnElsewhere(told ?? assert.fail()), [
      { zone: "ops.south", service: "ledger", what: "5a" },
      { zone: "edge.south", what: "root 1" },
      // A datacenter that is gone is believed in nothing, on what is open neither.
      ...["ops", "chain", "wallet", "mesh", "edge"].map((zone) => ({ zone: `${zone}.east`, what: "datacenter" })),
    ]);
  });

  it("is read in the format before, which tells nothing of what was withdrawn", async () => {
    const telling = await tellingOf("south");
    const { withdrawn, ...former } = { ...telling, format: 1 };
    assert.deepEqual(withdrawn, []);
    assert.deepEqual(parseDatacenterData(former, "south", "the file a.json"), telling);
    const strange = { ...former, keys: [] };
    assert.throws(() => parseDatacenterData(strange, "south", "the file a.json"), /keys/);
  });

  it("is nothing where the mesh is in one datacenter", async () => {
    const one = { ...mesh, datacenters: undefined };
    assert.equal(await readDatacenters({ ...declaration({}), mesh: one }, asking({}), own), undefined);
  });

  const refused: [title: string, stacks: unknown, outputs: Record<string, Record<string, unknown>>, message: RegExp][] =
    [
      [
        "a peer that nothing names",
        { south: null },
        {},
        /nothing says where the stack of datacenter east is.*datacenterStacks/,
      ],
      [
        "a stack of no datacenter",
        { ...STACKS, east: null },
        { [STACKS.south]: { joins: {} } },
        /has no output 'datacenter'.*lucid-mesh:datacenter to south/,
      ],
      [
        "another's stack",
        { ...STACKS, east: null },
        {
          [STACKS.south]: {
            datacenter: { format: 2, datacenter: "east", trust: {}, withdrawn: [], believes: [], document: "d" },
          },
        },
        /is that of datacenter east, not of south/,
      ],
      [
        "roots of another zone",
        { ...STACKS, east: null },
        {
          [STACKS.south]: {
            datacenter: {
              format: 1,
              datacenter: "south",
              trust: { chain: trustInNobody("chain.east") },
              believes: [],
              document: "d",
            },
          },
        },
        /datacenter\.trust\.chain\.rootsPem: has what is no root of zone chain\.south/,
      ],
      [
        "one that told roots and tells nothing any more",
        { ...STACKS, east: null },
        { [own]: { datacenter: { believes: ["south"] } } },
        /has the roots of datacenter south.*"south":null/,
      ],
    ];
  for (const [title, stacks, outputs, message] of refused) {
    it(`refuses ${title}`, async () => {
      await assert.rejects(readDatacenters(declaration(stacks), asking(outputs), own), message);
    });
  }

  for (const [title, change, message] of [
    [
      "a newer format",
      { format: 3 },
      /in format 3, and this package reads 1 and 2; deploy all datacenters by one release/,
    ],
    ["a format without what it has to tell", { withdrawn: undefined }, /datacenter\.withdrawn/],
    ["an unknown key", { keys: [] }, /keys/],
    ["a withdrawal of no zone", { withdrawn: [{ zone: "ops.north", what: "5a" }] }, /datacenter\.withdrawn\.0\.zone/],
    ["a withdrawal of nobody", { withdrawn: [{ zone: "ops", service: "", what: "5a" }] }, /withdrawn\.0\.service/],
    [
      "a private key among roots",
      {
        trust: {
          ops: { rootsPem: "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n", revocationsPem: "" },
        },
      },
      /rootsPem: is something else than PEM/,
    ],
    [
      "roots of its own that another datacenter's are said to be",
      { trust: { ops: trustInNobody("ops") } },
      /no root of zone ops\.south/,
    ],
  ] as const) {
    it(`refuses ${title} in what is told`, async () => {
      const telling = await tellingOf("south");
      assert.throws(() => parseDatacenterData({ ...telling, ...change }, "south", "the file a.json"), message);
    });
  }
});

describe("the network of several datacenters", () => {
  const surroundings = { apiServerCidr: "10.77.0.10/32", apiServerPort: 6443, discovery: { network: consulNetwork } };
  const policiesOf = (datacenter: DatacenterName, mesh = datacenterMesh(datacenter)) => {
    return mesh.zones.flatMap((zone) => networkPolicies(mesh, zone, surroundings));
  };
  const specOf = (datacenter: DatacenterName, name: string): NetworkPolicySpec =>
    policiesOf(datacenter).find((policy) => policy.name === name)?.spec ?? assert.fail(name);
  const peerText = (peer: NetworkPolicyPeer) =>
    peer.ipBlock?.cidr ?? peer.podSelector?.matchLabels["app.kubernetes.io/name"] ?? "";
  const on = (
    port: number,
    rules: readonly { ports: readonly { port: number }[]; peers: readonly NetworkPolicyPeer[] }[],
  ) =>
    rules.filter(({ ports }) => ports.some((each) => each.port === port)).flatMap(({ peers }) => peers.map(peerText));
  const into = (spec: NetworkPolicySpec, port: number) =>
    on(
      port,
      spec.ingress.map(({ from, ports }) => ({ peers: from, ports })),
    );
  const outOf = (spec: NetworkPolicySpec, port: number) =>
    on(
      port,
      spec.egress.map(({ to, ports }) => ({ peers: to, ports })),
    );
  const outside = (name: string, peers: readonly NetworkPolicyPeer[], ports: readonly { port: number }[]) =>
    peers.flatMap(({ ipBlock }) =>
      ipBlock === undefined ? [] : [`${name} ${ipBlock.cidr}:${ports.map(({ port }) => port).join()}`],
    );
  const leavesThe = (datacenter: DatacenterName, mesh?: Mesh) =>
    policiesOf(datacenter, mesh).flatMap(({ name, spec }) =>
      spec.egress.flatMap(({ to, ports }) => outside(name, to, ports)),
    );
  const entersThe = (datacenter: DatacenterName, mesh?: Mesh) =>
    policiesOf(datacenter, mesh).flatMap(({ name, spec }) =>
      spec.ingress.flatMap(({ from, ports }) => outside(name, from, ports)),
    );

  it("lets nobody's pod but the gateway's out of the cluster, to the addresses and ports of linked gateways", () => {
    assert.deepEqual(leavesThe("north").sort(), [
      "datacenter-gateway 192.0.2.5/32:30443",
      "datacenter-gateway 198.51.100.7/32:30443",
      "mesh-controller 10.77.0.10/32:6443",
    ]);
  });

  it("lets from outside nobody in but the gateways that call, and to the gateway alone", () => {
    assert.deepEqual(entersThe("south"), [
      "datacenter-gateway 203.0.113.10/32:15001",
      "datacenter-gateway 203.0.113.11/32:15001",
    ]);
    // North is linked to east, and not the other way round.
    assert.deepEqual(into(specOf("north", "datacenter-gateway"), 15001), ["198.51.100.0/28"]);
  });

  it("closes a link with the last call that uses it, and opens none before the first", () => {
    const changed = (datacenter: DatacenterName, title: RegExp) =>
      [datacenter, changedMesh(datacenter, CHANGES.find((each) => title.test(each.title)) ?? assert.fail())] as const;
    assert.deepEqual(entersThe(...changed("north", /^ledger is revoked/)), []);
    assert.deepEqual(leavesThe(...changed("north", /^billing is revoked/)), ["mesh-controller 10.77.0.10/32:6443"]);
    assert.deepEqual(entersThe(...changed("east", /^billing is revoked/)), []);
    assert.deepEqual(entersThe(...changed("east", /has ended/)), []);
    assert.deepEqual(leavesThe(...changed("east", /no call uses/)), ["mesh-controller 10.77.0.10/32:6443"]);
    assert.deepEqual(entersThe(...changed("south", /no call uses/)), entersThe("south"));
  });

  it("lets those to the gateway whose calls leave, and the gateway to those who are called", () => {
    assert.deepEqual(outOf(specOf("north", "billing"), 15443), ["datacenter-gateway"]);
    assert.deepEqual(into(specOf("north", "datacenter-gateway"), 15443), ["billing"]);
    assert.deepEqual(outOf(specOf("south", "datacenter-gateway"), 15001), ["archive", "ledger"]);
    assert.deepEqual(into(specOf("south", "ledger"), 15001), ["payout-router", "datacenter-gateway"]);
  });

  it("lets nothing of Wallet to the gateway, nor it to Wallet", () => {
    for (const datacenter of ["north", "south", "east"] as const) {
      assert.deepEqual(outOf(specOf(datacenter, "payout-router"), 15443), []);
      assert.ok(!into(specOf(datacenter, "payout-router"), 15001).includes("datacenter-gateway"));
      const gateway = specOf(datacenter, "datacenter-gateway");
      assert.ok(![...into(gateway, 15443), ...outOf(gateway, 15001)].includes("payout-router"));
    }
  });
});

describe("the resources of a datacenter", function () {
  this.timeout(60_000);
  let told: pulumi.Output<DatacenterData> | undefined;

  const named = (name: string) => recorded.find((resource) => resource.custom && resource.name === name)?.inputs;

  before(async () => {
    await installMocks();
    const mesh = datacenterMesh("north");
    const withdrawn = [{ zone: "ops", service: "ledger", what: "5a" }] as const;
    const heard: ToldDatacenters = {
      told: new Map([["south", { ...(await tellingOf("south")), withdrawn }]]),
      gone: [],
      document: "digest",
    };
    const revoked = { service: "ledger", date: "2026-11-21" };
    const revokedCertificates = JSON.stringify([
      { ...revoked, zone: "ops", serial: "b7" },
      { ...revoked, zone: "wallet", service: "payout-router", serial: "b8" },
    ]);
    told = new ServiceMesh("lucid", {
      mesh,
      settings: parseSettings({ ...SETTINGS, revokedCertificates }),
      datacenters: heard,
      discoveryAddress: "127.0.0.1:18501",
      providers: { kubernetes: new kubernetes.Provider("kubernetes"), docker: new docker.Provider("docker") },
    }).toldElsewhere;
    await settled();
  });

  it("are a gateway of pods that have a sidecar alone, at its NodePort, where the address of who connects stays", () => {
    const link = named("datacenter-gateway-link") as unknown as {
      metadata: Record<string, unknown>;
      spec: Record<string, unknown>;
    };
    assert.equal(link.metadata.namespace, "lucid-edge");
    assert.equal(link.spec.type, "NodePort");
    assert.equal(link.spec.externalTrafficPolicy, "Local");
    assert.deepEqual(link.spec.ports, [
      { name: "link", port: 15001, targetPort: 15001, nodePort: 30444, protocol: "TCP" },
    ]);
    const deployment = named("datacenter-gateway-deployment") as unknown as {
      spec: {
        replicas: number;
        template: {
          spec: {
            terminationGracePeriodSeconds: number;
            containers: { lifecycle?: unknown; readinessProbe?: { httpGet?: unknown } }[];
          };
        };
      };
    };
    assert.equal(deployment.spec.replicas, 2);
    const [container, ...others] = deployment.spec.template.spec.containers;
    assert.deepEqual(others, []);
    assert.deepEqual(container?.readinessProbe?.httpGet, { path: "/ready", port: 15021 });
    // What passes it is finished before it ends: twice the age of a connection, and a call.
    assert.deepEqual(container.lifecycle, { preStop: { sleep: { seconds: 105 } } });
    assert.equal(deployment.spec.template.spec.terminationGracePeriodSeconds, 110);
  });

  it("bear the datacenter in identities, the definition of MeshService, and Consul's own name", () => {
    const declaration = named("billing-declaration") as unknown as { spec: { identity: string } };
    assert.equal(declaration.spec.identity, "spiffe://ops.north.lucid.internal/ns/lucid-ops/sa/billing");
    const request = named("billing-sidecar-request") as unknown as { uris: string[]; subject: { commonName: string } };
    assert.deepEqual(request.uris, ["spiffe://ops.north.lucid.internal/ns/lucid-ops/sa/billing"]);
    assert.equal(request.subject.commonName, "billing.lucid.internal");
    assert.match(JSON.stringify(named("mesh-service-definition")), /\.north\.lucid\.internal\/ns\/lucid-/);
    const root = named("ops-ca-root") as unknown as { subject: { commonName: string } };
    assert.equal(root.subject.commonName, "ops.north.lucid.internal root");
    const consul = named("consul-request") as unknown as { uris: string[]; dnsNames: string[] };
    assert.deepEqual(consul.uris, ["spiffe://mesh.north.lucid.internal/ns/lucid-mesh/sa/consul"]);
    assert.deepEqual(consul.dnsNames, ["server.north.discovery.lucid.internal", "localhost"]);
  });

  it("have the ACLs of its own Consul compared, which the controller asks by the datacenter's name", () => {
    assert.match(JSON.stringify(named("mesh-controller-tokens")), /"acl-reader":/);
    const declared = named("declared-mesh-0") as unknown as { data: Record<string, string> };
    assert.ok("AclToken.lucid-acl-reader" in declared.data && "AclPolicy.lucid-registrar-ops" in declared.data);
    const asked = '"CONSUL_TLS_SERVER_NAME","value":"server.north.discovery.lucid.internal"';
    assert.ok(JSON.stringify(named("mesh-controller-deployment")).includes(asked));
  });

  it("have the roots of peers elsewhere as they were told, each beside those of its own zones", () => {
    const trust = named("billing-sidecar-trust") as unknown as { data: Record<string, string> };
    assert.deepEqual(Object.keys(trust.data).sort(), [
      "chain.east.yaml",
      "chain.yaml",
      "mesh.yaml",
      "ops.east.yaml",
      "ops.south.yaml",
      "ops.yaml",
    ]);
    assert.match(trust.data["ops.south.yaml"] ?? "", /name: trust\/ops\.south/);
  });

  it("cut off what is open with whom a datacenter withdrew something from, and nothing else", () => {
    const clusters = (named("billing-sidecar-envoy") as unknown as { data: Record<string, string> }).data[
      "clusters.yaml"
    ];
    const marked = (fromYaml(clusters ?? assert.fail()).resources as { name: string; metadata?: unknown }[])
      .filter(({ metadata }) => metadata !== undefined)
      .map(({ name }) => name);
    assert.deepEqual(marked, ["outbound|ledger|http|north", "outbound|ledger|http|south"]);
  });

  it("have them told apart from what others put there: the roots of peers elsewhere are declared by their digests", () => {
    const declared = recorded
      .filter(({ custom, name }) => custom && name.startsWith("declared-ops"))
      .map(({ inputs }) => JSON.stringify(inputs))
      .join("\n");
    assert.match(declared, /ops\.south\.yaml[\\":]+\{[\\"]+\$digest/);
  });

  it("tell the others by whom they are to believe, once all is written", async () => {
    assert.ok(told !== undefined);
    const data = await new Promise<DatacenterData>((resolve) => told?.apply(resolve));
    assert.deepEqual([data.datacenter, data.believes, data.document], ["north", ["south"], "digest"]);
    assert.deepEqual(Object.keys(data.trust), ["ops", "edge"]);
    // Nothing of Wallet crosses, what was withdrawn there neither.
    assert.deepEqual(data.withdrawn, [{ zone: "ops", service: "ledger", what: "b7" }]);
    assert.equal(await pulumi.isSecret(told), false);
  });
});
