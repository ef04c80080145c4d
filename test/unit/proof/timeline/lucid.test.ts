import type * as pulumi from "@pulumi/pulumi";
import assert from "node:assert/strict";
import { parseSettings } from "../../../../components";
import type { Settings } from "../../../../components";
import { gapText, readTimeline, renewalOf, stepGaps, timelineViolations } from "../../../../proof/timeline";
import type { GivenUp, Timeline } from "../../../../proof/timeline";
import { rehearsedAs } from "../../../../cli/rehearsed";
import { lucid, rehearsed } from "../lucid";
import { revokedMesh } from "../../envoy/revoked";

const REQUIRED = { apiServerCidr: "10.77.0.10/32", nodeResolverIp: "10.96.64.53", consulIp: "10.96.64.54" };
const settings = parseSettings(REQUIRED);

/** The certificates that the program itself declares, under this configuration of the stack. */
async function timelineUnder(changes: Readonly<Record<string, string>>): Promise<Timeline> {
  const under = parseSettings({ ...REQUIRED, ...changes });
  const { timeline, problems } = readTimeline(lucid, under, await planUnder(under));
  assert.deepEqual(problems, []);
  return timeline;
}

const plans = new Map<string, ReturnType<typeof rehearsedAs>>();

/** A rehearsal takes seconds, and nothing of it changes. */
function planUnder(of: Settings): ReturnType<typeof rehearsedAs> {
  const key = JSON.stringify(of);
  const plan = plans.get(key) ?? rehearsedAs({ mesh: lucid, settings: of });
  plans.set(key, plan);
  return plan;
}

describe("the timeline of Lucid's certificates", function () {
  this.timeout(180_000);

  it("has roots, issuing authorities and leaves, each under its own zone's", async () => {
    const { certificates, parties } = await timelineUnder({});
    const count = (role: string) =>
      [...certificates.values()].filter((certificate) => certificate.role === role).length;
    assert.deepEqual([count("root"), count("issuing"), count("leaf")], [5, 5, lucid.services.length + 2]);
    for (const { zone, signer } of certificates.values())
      assert.ok(signer === undefined || certificates.get(signer)?.zone === zone);
    assert.equal(parties.get("Wallet/tron-payment")?.shows, "tron-payment-sidecar-certificate");
    assert.deepEqual([...(parties.get("Wallet/tron-payment")?.roots ?? [])].sort(), [
      "mesh-ca-root",
      "ops-ca-root",
      "wallet-ca-root",
    ]);
  });

  it("has each leaf made anew between day 60 and day 88, everywhere a quarter of an hour later", async () => {
    const { due, replaced, gone } = renewalOf(await timelineUnder({}), "tron-payment-sidecar-certificate", {
      updateHours: settings.updateIntervalHours,
      issuerHours: 0,
      distributionHours: 0.25,
    });
    assert.deepEqual([due / 24, replaced / 24, gone - replaced], [60, 88, 0.25]);
  });

  it("has no instant without trust, revoked services or not", async () => {
    for (const mesh of [lucid, revokedMesh("payout-router", "jaeger")])
      assert.deepEqual(timelineViolations(mesh, settings, await rehearsed(mesh)), []);
  });

  const EXPIRIES: readonly (readonly [title: string, changes: Record<string, string>, tells: RegExp])[] = [
    [
      "leaves live for a month and updates come every four weeks",
      { certValidityDays: "30" },
      /^certificates: from 30 days after it was made, until 48 days 15 minutes after, .* does not believe .*: certificate spiffe:.* lives 30 days, .* run `pulumi up` every 9 days 23 hours at least and say so \(updateIntervalHours: 239\)/,
    ],
    [
      "updates come every 30 days: a quarter of an hour too late",
      { updateIntervalHours: "720" },
      /^certificates: from 90 days after it was made, until 90 days 15 minutes after/,
    ],
    [
      "leaves live for a day and updates come daily",
      { certValidityDays: "1", updateIntervalHours: "24" },
      /every 7 hours at least and say so \(updateIntervalHours: 7\)/,
    ],
  ];
  for (const [title, changes, tells] of EXPIRIES) {
    it(`tells the instant, whom it parts and the mend where ${title}`, async () => {
      const of = parseSettings({ ...REQUIRED, ...changes });
      const found = timelineViolations(lucid, of, await planUnder(of));
      assert.equal(found.length, 1, JSON.stringify(found));
      assert.match(found[0] ?? "", tells);
    });
  }

  it("has none where updates come as often as the mend says", async () => {
    const often: readonly Record<string, string>[] = [
      { certValidityDays: "30", updateIntervalHours: "239" },
      { certValidityDays: "1", updateIntervalHours: "7" },
      { updateIntervalHours: "719" },
    ];
    for (const changes of often) {
      const of = parseSettings({ ...REQUIRED, ...changes });
      assert.deepEqual(timelineViolations(lucid, of, await planUnder(of)), []);
    }
  });

  it("finds an edge whose end is not given the other's root, or the list of who vouches for it", async () => {
    const emptied = (name: string): pulumi.ComponentResourceOptions => ({
      transforms: [
        (args) => {
          if (args.name === name) args.props.data = { "ops.yaml": "" };
          return { props: args.props, opts: args.opts };
        },
      ],
    });
    const found = timelineViolations(lucid, settings, await rehearsed(lucid, emptied("tron-payment-sidecar-trust")));
    assert.match(
      found.join("\n"),
      /^certificates: at every instant, Wallet\/tron-payment does not believe Wallet\/payout-router: wallet\.lucid\.internal root, by which/m,
    );
  });

  it("finds a certificate whose renewal was left out", async () => {
    const never: pulumi.ComponentResourceOptions = {
      transforms: [
        (args) => {
          if (args.name === "jaeger-sidecar-certificate") args.props.earlyRenewalHours = 0;
          return { props: args.props, opts: args.opts };
        },
      ],
    };
    const found = timelineViolations(lucid, settings, await rehearsed(lucid, never));
    assert.equal(found.length, 1);
    assert.match(
      found[0] ?? "",
      /certificate spiffe:\/\/ops\.lucid\.internal\/ns\/lucid-ops\/sa\/jaeger lives 90 days, is made anew by an update from 90 days on/,
    );
  });

  it("concludes nothing where a life can't be known", async () => {
    const unknown: pulumi.ComponentResourceOptions = {
      transforms: [
        (args) => {
          if (args.name === "jaeger-sidecar-certificate")
            args.props.validityPeriodHours = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
          return { props: args.props, opts: args.opts };
        },
      ],
    };
    const found = timelineViolations(lucid, settings, await rehearsed(lucid, unknown));
    assert.match(found.join("\n"), /validityPeriodHours: can't be known at preview/);
  });

  it("tells of certificates that sign each other, and concludes nothing from them", async () => {
    const plan = await planUnder(settings);
    const named = (name: string) => plan.find((resource) => resource.name === name) ?? assert.fail(name);
    const pair = { "ops-ca-issuing": named("chain-ca-issuing"), "chain-ca-issuing": named("ops-ca-issuing") };
    const circular = plan.map((resource) => {
      const signer = Object.entries(pair).find(([name]) => resource.name === name)?.[1];
      return signer === undefined
        ? resource
        : Object.assign(Object.create(resource) as typeof resource, { origins: () => [signer] });
    }) as typeof plan;
    const { timeline, problems } = readTimeline(lucid, settings, circular);
    assert.deepEqual(problems.filter((problem) => problem.includes("it is signed by itself")).length, 2);
    for (const name of Object.keys(pair)) assert.ok(!timeline.certificates.has(name), name);
    assert.ok(timelineViolations(lucid, settings, circular).some((text) => text.includes("it is signed by itself")));
  });

  describe("whose leaves issuers make", () => {
    const ROTATING = { autoRotateCerts: "true" };

    it("has a leaf of a day for every service but the controller, each under its own zone's authority", async () => {
      const { certificates, parties } = await timelineUnder(ROTATING);
      for (const { name, zone } of lucid.services) {
        const party = `${zone.charAt(0).toUpperCase()}${zone.slice(1)}/${name}`;
        const leaf = certificates.get(parties.get(party)?.shows ?? "");
        const isIssued = name !== "mesh-controller";
        assert.deepEqual(
          [leaf?.madeBy, leaf?.lifeHours, leaf?.signer],
          [isIssued ? "issuer" : "update", isIssued ? 24 : 2160, `${zone}-ca-issuing`],
        );
      }
    });

    it("has each made anew at two thirds of its life, whenever updates come", async () => {
      const { timeline, assumed } = { timeline: await timelineUnder(ROTATING), assumed: settings.updateIntervalHours };
      const assumptions = { updateHours: assumed, issuerHours: 0.5, distributionHours: 0.25 };
      const { due, replaced, gone } = renewalOf(timeline, "Wallet/tron-payment, by its issuer", assumptions);
      assert.deepEqual([due, replaced, gone], [16, 16.5, 16.75]);
      // By an update, and what it signed brings it along until that is signed anew.
      assert.equal(renewalOf(timeline, "wallet-ca-issuing", assumptions).gone, 5840 + 672 + 0.75);
    });

    it("has no instant without trust, however short the leaves and rare the updates, revoked services or not", async () => {
      for (const changes of [ROTATING, { ...ROTATING, leafValidityHours: "1", updateIntervalHours: "700" }]) {
        const under = parseSettings({ ...REQUIRED, ...changes });
        for (const mesh of [lucid, revokedMesh("payout-router", "jaeger")])
          assert.deepEqual(timelineViolations(mesh, under, await rehearsed(mesh, {}, under)), []);
      }
    });

    it("parts nobody when issuers take over, and when they give it back", async () => {
      const [before, after] = [await timelineUnder({}), await timelineUnder(ROTATING)];
      const assumptions = { updateHours: 672, issuerHours: 0.5, distributionHours: 0.25 };
      assert.deepEqual(stepGaps(before, after, assumptions), []);
      assert.deepEqual(stepGaps(after, before, assumptions), []);
    });

    it("tells of an authority that an issuer is not given, and of a life that is too short to be renewed in", async () => {
      const under = parseSettings({ ...REQUIRED, ...ROTATING });
      const without = (name: string, change: (props: Record<string, unknown>) => void) =>
        rehearsed(
          lucid,
          {
            transforms: [
              (args) => {
                if (args.name === name) change(args.props);
                return { props: args.props, opts: args.opts };
              },
            ],
          },
          under,
        );
      const unsigned = await without(
        "wallet-issuing-tls",
        (props) => (props.stringData = { "tls.crt": "", "tls.key": "" }),
      );
      assert.match(
        timelineViolations(lucid, under, unsigned).join("\n"),
        /nothing is there that certificates could be signed by/,
      );
      const short = await without("wallet-issuing-policy", (props) => {
        props.data = { ...(props.data as object), validityHours: "0.5" };
      });
      assert.match(
        timelineViolations(lucid, under, short).join("\n"),
        /lives 30 minutes, is made anew by its zone's issuer from 20 minutes on, which takes up to 2 minutes, and every process has the new one 15 minutes later; let it live longer \(leafValidityHours\)/,
      );
    });
  });

  describe("while a root is exchanged", () => {
    const under = (text: string) => timelineUnder({ rootGenerations: text });
    const stepped = async (from: string, to: string, givenUp?: GivenUp) => {
      const [before, after] = [await under(from), await under(to)];
      return stepGaps(before, after, { updateHours: 672, issuerHours: 0, distributionHours: 0.25 }, givenUp).map(
        gapText,
      );
    };
    const NOW = "{}";
    const TRUST = '{"wallet": {"trusted": [1, 2], "issuing": 1}}';
    const ISSUE = '{"wallet": {"trusted": [1, 2], "issuing": 2}}';
    const DROP = '{"wallet": {"trusted": [2], "issuing": 2}}';

    it("parts nobody by the steps, forth and back", async () => {
      for (const [from, to] of [
        [NOW, TRUST],
        [TRUST, ISSUE],
        [ISSUE, DROP],
        [DROP, ISSUE],
        [ISSUE, TRUST],
        [TRUST, NOW],
      ] as const)
        assert.deepEqual(await stepped(from, to), [], `${from} to ${to}`);
    });

    it("tells whom a step left out parts, and the step", async () => {
      const found = await stepped(NOW, ISSUE);
      assert.match(
        found.join("\n"),
        /^certificates: from this update on, for up to 15 minutes, .*Ops\/admin-ui does not believe Wallet\/payout-router.*: the other may show what wallet\.lucid\.internal root 2 vouches for before it has that; have it trusted by an update of its own/m,
      );
      assert.match(
        (await stepped(TRUST, DROP)).join("\n"),
        /wallet\.lucid\.internal root is taken away while the other may still show/,
      );
      assert.equal((await stepped(NOW, DROP)).length, 2);
    });

    it("leaves be what gives a compromised root up at once", async () => {
      assert.deepEqual(await stepped(NOW, DROP, (subject) => subject === "wallet.lucid.internal root"), []);
      assert.notDeepEqual(await stepped(NOW, DROP, (subject) => subject === "ops.lucid.internal root"), []);
    });
  });
});
