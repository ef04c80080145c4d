import assert from "node:assert/strict";
import { LUCID_CEILING } from "../../../policies/ceiling";
import type { Ceiling } from "../../../policies/ceiling";
import { ceilingAllows, ceilingConnects } from "../../../policies/ceiling/edges";
import { linkProblems } from "../../../policies/ceiling/link-checks";
import { readCeiling } from "../../../policies/ceiling/reading";
import { DATA } from "../../../policies/admission/data";
import { datacenterCeiling, linking } from "../fixtures/datacenters";
import { assertTold } from "../support/judge";

const NORTH = datacenterCeiling("north");
const GATEWAY = "edge/datacenter-gateway";

describe("a link of the ceiling", () => {
  const allows = (from: string, to: string, ceiling = NORTH) =>
    (["egress", "ingress"] as const).map((side) => ceilingAllows(from, to, "15001/TCP", side, ceiling));

  it("lets those call whom it lists who may call them anyway, in its direction alone", () => {
    assert.deepEqual(allows("ops/billing", "ops.south/ledger"), [true, true]);
    assert.deepEqual(allows("ops.south/ledger", "edge/rates"), [true, true]);
    for (const [from, to] of [
      ["ops.south/billing", "ops/ledger"],
      ["ops/billing", "ops.south/prometheus"],
      ["ops/billing", "edge.south/rates"],
      ["edge/rates", "ops.south/ledger"],
      ["chain/lucid-blocks", "ops.south/ledger"],
      ["ops.east/ledger", "edge/rates"],
      ["ops/billing", "ops.west/ledger"],
      ["ops.south/ledger", "ops.east/ledger"],
      ["ops/*", "ops.south/ledger"],
      ["ops.south/*", "edge/rates"],
      ["*", "ops.south/ledger"],
      ["external/api-server", "ops.south/ledger"],
    ] as const)
      assert.deepEqual(allows(from, to), [false, false], `${from} to ${to}`);
  });

  it("is of no use to Wallet, whatever is listed", () => {
    const listed = linking("north", "south", {
      calls: ["ops/ledger", "wallet/payout-router"],
      exports: ["wallet/payout-router"],
    });
    const ceiling = {
      ...listed,
      edges: [...listed.edges, { from: "*", to: "*", ports: ["15001/TCP"], reason: "all" }],
    };
    assert.deepEqual(allows("wallet/payout-router", "ops/ledger", ceiling), [true, true]);
    assert.deepEqual(allows("wallet/payout-router", "ops.south/ledger", ceiling), [false, false]);
    assert.deepEqual(allows("ops/billing", "wallet.south/payout-router", ceiling), [false, false]);
    assert.deepEqual(allows("ops.south/billing", "wallet/payout-router", ceiling), [false, false]);
    assert.equal(ceilingConnects("wallet/payout-router", GATEWAY, "15443/TCP", "egress", ceiling), false);
    assert.equal(allows("ops/billing", "ops.south/ledger", ceiling).includes(false), false);
  });

  it("makes the gateway nobody's caller", () => {
    assert.equal(ceilingConnects(GATEWAY, "edge/rates", "15001/TCP", "egress", NORTH), true);
    assert.equal(ceilingConnects(GATEWAY, "ops/ledger", "15001/TCP", "egress", NORTH), false);
    const south = datacenterCeiling("south");
    assert.equal(ceilingConnects(GATEWAY, "ops/ledger", "15001/TCP", "egress", south), true);
    assert.deepEqual(allows(GATEWAY, "ops/ledger", south), [false, false]);
    assert.deepEqual(allows(GATEWAY, "edge.north/rates", south), [false, false]);
  });

  it("joins gateways, each way that somebody is called", () => {
    assert.deepEqual(allows(GATEWAY, "edge.south/datacenter-gateway"), [true, true]);
    assert.deepEqual(allows("edge.south/datacenter-gateway", GATEWAY), [true, true]);
    assert.deepEqual(allows(GATEWAY, "edge.east/datacenter-gateway"), [true, true]);
    assert.deepEqual(allows("edge.east/datacenter-gateway", GATEWAY), [false, false]);
    assert.deepEqual(allows("edge.west/datacenter-gateway", GATEWAY), [false, false]);
    assert.deepEqual(allows("edge/rates", "edge.south/datacenter-gateway"), [false, false]);
  });

  it("lets the API server admit its ways, and nothing beside them", () => {
    const complaints = (name: "letIn" | "letOut", opening: string) =>
      DATA[name]?.([opening], NORTH).map(([problem]) => problem);
    for (const [name, opening] of [
      ["letOut", `${GATEWAY}>198.51.100.7/32:30443/TCP`],
      ["letIn", `198.51.100.0/28>${GATEWAY}:15001/TCP`],
      ["letIn", `ops/billing>${GATEWAY}:15443/TCP`],
    ] as const)
      assert.deepEqual(complaints(name, opening), []);
    for (const [name, opening] of [
      ["letOut", `${GATEWAY}>198.51.100.7/32:30444/TCP`],
      ["letOut", `${GATEWAY}>198.51.100.0/28:30443/TCP`],
      ["letOut", "edge/rates>198.51.100.7/32:30443/TCP"],
      ["letIn", `198.51.100.0/24>${GATEWAY}:15001/TCP`],
      ["letIn", `198.51.100.0/28>${GATEWAY}:15443/TCP`],
      ["letIn", "198.51.100.0/28>edge/rates:15001/TCP"],
      ["letIn", `wallet/payout-router>${GATEWAY}:15443/TCP`],
      ["letIn", `*>${GATEWAY}:15443/TCP`],
    ] as const)
      assert.equal(complaints(name, opening)?.length, 1, opening);
  });
});

describe("the configuration of links", () => {
  const problems = (ceiling: Ceiling) => linkProblems(ceiling).map(({ path, problem }) => `${path}: ${problem}`);
  const read = (written: object, now = new Date("2026-05-10T12:00:00Z")) =>
    readCeiling(written, { rules: new Map(), now });

  it("is nothing at all for a mesh of one", () => {
    assert.deepEqual([LUCID_CEILING.datacenter, LUCID_CEILING.links], [undefined, {}]);
    assert.deepEqual(problems(LUCID_CEILING), []);
  });

  it("has nothing wrong with it", () => {
    for (const name of ["north", "south", "east"] as const) assert.deepEqual(problems(datacenterCeiling(name)), []);
  });

  const south = (change: Partial<Ceiling["links"][string]>) => linking("north", "south", change);
  const named = (change: object): Ceiling => ({
    ...NORTH,
    datacenter: { name: "north", gateway: GATEWAY, nodePort: "30444/TCP", ...change },
  });
  const wrong: readonly (readonly [title: string, ceiling: Ceiling, told: RegExp])[] = [
    ["links of no datacenter", { ...NORTH, datacenter: undefined }, /^links: it isn't said which datacenter/],
    ["a name that is none", named({ name: "North.1" }), /^datacenter\.name: `North\.1` is no datacenter's name/],
    ["a zone's name", named({ name: "ops" }), /^datacenter\.name: `ops` is no datacenter's name/],
    ["a link to itself", { ...NORTH, links: { north: NORTH.links.south ?? assert.fail() } }, /linked to itself/],
    ["a gateway that is no member", named({ gateway: "edge/other" }), /^datacenter\.gateway: `edge\/other`/],
    ["a gateway in Wallet", named({ gateway: "wallet/payout-router" }), /^datacenter\.gateway/],
    ["a gateway without a sidecar", named({ gateway: "mesh/consul" }), /^datacenter\.gateway/],
    ["a port that is no NodePort", named({ nodePort: "443/TCP" }), /^datacenter\.nodePort/],
    ["calls to nowhere", south({ addresses: [] }), /it isn't said where its gateway is/],
    ["calls from anywhere", south({ sources: [] }), /it isn't said from where its gateway comes/],
    ["calls with anybody's token", south({ tokens: [] }), /by which keys tokens are checked/],
    ["calls without a port here", named({ nodePort: undefined }), /where it finds this one's/],
    ["a stranger called", south({ calls: ["ops/stranger"] }), /calls: `ops\/stranger` is no listed member/],
    ["somebody elsewhere", south({ calls: ["ops.south/ledger"] }), /`ops\.south\/ledger` is no listed member/],
    ["everybody", south({ exports: ["*"] }), /exports: `\*` is no listed member/],
    ["a whole zone", south({ exports: ["ops/*"] }), /exports: `ops\/\*` is no listed member/],
    ["the gateway called", south({ calls: [GATEWAY] }), /`edge\/datacenter-gateway` is no listed member/],
    ["Wallet called", south({ calls: ["wallet/payout-router"] }), /nothing of it crosses/],
    ["Wallet exported", south({ exports: ["wallet/payout-router"] }), /nothing of it crosses/],
    ["an infrastructure member", south({ exports: ["mesh/consul"] }), /`mesh\/consul` is no listed member/],
    ["an address that is none", south({ addresses: ["gateway.example.org"] }), /`gateway\.example\.org` is where no/],
    ["a pod's address", south({ addresses: ["10.244.3.7"] }), /`10\.244\.3\.7` is where no gateway/],
    ["the node itself", south({ addresses: ["127.0.0.1"] }), /`127\.0\.0\.1` is where no gateway/],
    ["anywhere", south({ sources: ["0.0.0.0/0"] }), /`0\.0\.0\.0\/0` is where no gateway/],
    ["a wide block", south({ sources: ["198.51.0.0/16"] }), /`198\.51\.0\.0\/16` is where no gateway/],
    ["pods' addresses", south({ sources: ["10.244.3.0/24"] }), /`10\.244\.3\.0\/24` is where no gateway/],
    ["a port that is none", south({ ports: ["70000/TCP"] }), /`70000\/TCP` is no port/],
    ["UDP", south({ ports: ["30443/UDP"] }), /`30443\/UDP` is no port/],
    ["a digest that is none", south({ tokens: ["south"] }), /`south` is no digest/],
  ];
  for (const [title, ceiling, told] of wrong) {
    it(`is refused with ${title}`, () => {
      assertTold(problems(ceiling), told);
    });
  }

  it("is read from the pack's own, and added to", () => {
    const { datacenter, links, members, edges } = NORTH;
    const then = new Date("2098-06-01T00:00:00Z");
    const { ceiling, problems: found } = read({ members, edges, datacenter, links }, then);
    assert.deepEqual(found, []);
    assert.deepEqual([ceiling?.datacenter, ceiling?.links], [datacenter, links]);
    const { south: one, ...rest } = links;
    assert.deepEqual(
      read({ members, edges, datacenter, links: rest, also: { links: { south: one } } }, then).ceiling?.links,
      {
        ...rest,
        south: one,
      },
    );
  });

  it("is refused with a key that says nothing, or without its reason", () => {
    const texts = (written: object) => read(written).problems.map(({ path, problem }) => `${path}: ${problem}`);
    assertTold(texts({ links: { south: { reason: "r", call: [] } } }), /^links\.south: the key call is none/);
    assertTold(texts({ links: { south: {} } }), /^links\.south\.reason: it is missing/);
    assertTold(texts({ datacenter: { name: "north" } }), /^datacenter\.gateway: it is missing/);
    assertTold(texts({ also: { datacenter: {} } }), /^also: the key datacenter is none/);
  });

  it("has leaves that end", () => {
    const { datacenter, members, edges } = NORTH;
    const leave = { clearnet: { reason: "No Tor yet", owner: "us@lucid.internal", until: "2026-05-20" } };
    const { south: one } = NORTH.links;
    const written = { members, edges, datacenter, links: { south: { ...one, leave } } };
    assert.deepEqual(read(written).problems, []);
    const after = read(written, new Date("2026-05-21T00:00:00Z"));
    assert.deepEqual(
      after.problems.map(({ path, problem }) => `${path}: ${problem}`),
      [
        'links["south"].leave.clearnet.until: the leave for south ended with 2026-05-20; us@lucid.internal answers for it',
      ],
    );
    assert.deepEqual(after.ceiling?.links.south?.leave, {});
  });
});
