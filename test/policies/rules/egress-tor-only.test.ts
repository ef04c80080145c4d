import { LUCID_CEILING } from "../../../policies/ceiling";
import type { Ceiling } from "../../../policies/ceiling";
import { egressTorOnly } from "../../../policies/rules/egress-tor-only";
import { defaultDeny, networkPolicy, payoutRouterPolicy } from "../fixtures/objects";
import type { JsonObject } from "../support/edit";
import { assertFinds, assertPasses, refusesEach } from "../support/judge";
import { UNKNOWN } from "../support/unknown";

/** Everything that is not the internet. */
const INNER = [
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "100.64.0.0/10",
  "0.0.0.0/8",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "224.0.0.0/4",
  "240.0.0.0/4",
];

const TOR: Ceiling = {
  ...LUCID_CEILING,
  members: { ...LUCID_CEILING.members, edge: ["tor"] },
  torProxies: ["edge/tor"],
};
const to = (ipBlock: JsonObject, zone = "edge", service = "tor") =>
  networkPolicy(zone, service, { egress: [{ to: [{ ipBlock }], ports: [{ protocol: "TCP", port: 443 }] }] });

describe("egress-tor-only", () => {
  const block = (cidr: string) => ({ path: "spec.egress[0].to[0]", value: { ipBlock: { cidr } } });
  refusesEach(egressTorOnly, payoutRouterPolicy, [
    { title: "everywhere", ...block("0.0.0.0/0"), finds: /holds addresses of the node itself/ },
    {
      title: "an address outside",
      ...block("1.1.1.1/32"),
      finds: /leads out of the cluster; take it out, or declare whom it reaches/,
    },
    { title: "a private block and its neighbours", ...block("172.16.0.0/11"), finds: /leads out of the cluster/ },
    { title: "the cloud's metadata service", ...block("169.254.169.254/32"), finds: /metadata service/ },
    { title: "the node's loopback", ...block("127.0.0.1/32"), finds: /the node itself/ },
    { title: "IPv6", ...block("2000::/3"), finds: /no IPv4 block/ },
    { title: "no block", ...block("all"), finds: /no IPv4 block/ },
    { title: "an unknown block", ...block(UNKNOWN), finds: /can't be known/ },
    { title: "a rule without peers", path: "spec.egress[0].to", finds: /opens every address/ },
    { title: "a rule with none", path: "spec.egress[0].to", value: [], finds: /opens every address/ },
    { title: "an unknown rule", path: "spec.egress", value: UNKNOWN, finds: /can't be known/ },
  ]);

  it("leaves private addresses to the rule that knows the ceiling's edges", () => {
    assertPasses(egressTorOnly, to({ cidr: "10.0.0.1/32" }, "mesh", "mesh-controller"));
    assertPasses(egressTorOnly, defaultDeny());
  });

  describe("of Tor's proxies", () => {
    it("lets them out, and nowhere else", () => {
      assertPasses(egressTorOnly, to({ cidr: "0.0.0.0/0", except: INNER }), TOR);
      for (const open of INNER) {
        const except = INNER.filter((cidr) => cidr !== open);
        assertFinds(egressTorOnly, to({ cidr: "0.0.0.0/0", except }), /a way to private addresses/, TOR);
      }
      assertPasses(egressTorOnly, to({ cidr: "1.0.0.0/8" }), TOR);
    });
    it("refuses others, of another zone or name, and all where the ceiling lists none", () => {
      for (const [zone, service] of [["edge", "proxy"] as const, ["wallet", "tor"] as const]) {
        assertFinds(
          egressTorOnly,
          to({ cidr: "1.0.0.0/8" }, zone, service),
          /leads out of the cluster.*edge\/tor/,
          TOR,
        );
      }
      assertFinds(egressTorOnly, to({ cidr: "1.0.0.0/8" }), /take it out, or declare/);
    });
  });
});
