import type * as pulumi from "@pulumi/pulumi";
import assert from "node:assert/strict";
import type { Mesh, OwnPart, PartData, Settings } from "../../../components";
import { ZONES, resolveMesh, validateDocument } from "../../../mesh";
import type { ZoneName } from "../../../mesh";
import { UNKNOWN } from "../../../policies/judgement/plain";
import { partViolations } from "../../../proof";
import type { RehearsedResource } from "../../../proof/rehearsal/resource";
import { joinedDocument } from "../components/joins";
import { tells } from "../components/parts/told";
import { authenticatedMesh } from "../envoy/authenticated";
import { jobsMesh } from "../envoy/jobs-fixture";
import { revokedMesh } from "../envoy/revoked";
import { etcdSettings, lucid, rehearsed, settings, withIssuers } from "./lucid";
import { partOf, rehearsedPart } from "./parts";

type Resources = readonly RehearsedResource[];

const MESHES: readonly (readonly [title: string, mesh: () => Mesh, settings: Settings])[] = [
  ["Lucid", () => lucid, settings],
  ["Lucid with etcd", () => lucid, etcdSettings],
  ["Lucid with services revoked", () => revokedMesh("payout-router", "jaeger"), settings],
  ["Lucid without its controller", () => revokedMesh("mesh-controller"), settings],
  ["Lucid with issuers", () => lucid, withIssuers],
  ["Lucid with issuers and services revoked", () => revokedMesh("payout-router", "jaeger"), withIssuers],
  ["a mesh with jobs", jobsMesh, settings],
  [
    "a mesh whose pods another stack brings in part",
    () => resolveMesh(validateDocument(joinedDocument()), { tracing: true }),
    settings,
  ],
  ["a mesh that asks an authenticator", () => authenticatedMesh(), settings],
];

const keyOf = ({ type, name }: RehearsedResource) => `${type} ${name}`;
/** Components of one name hold each part's own, and each stack has its own way into the cluster. */
const isMade = ({ type }: RehearsedResource) => !/^(lucid:|pulumi:)/.test(type);
const unknown = (_: string, value: unknown): unknown => (value === UNKNOWN ? "unknown" : value);
/** What would be made, where in the tree, and of what. */
const shownOf = (resource: RehearsedResource) => ({
  urn: resource.urn,
  inputs: JSON.parse(JSON.stringify(resource.properties.plain, unknown)) as Record<string, Record<string, string>>,
});

describe("the parts of a mesh", function () {
  this.timeout(120_000);
  let told: readonly PartData[];
  before(async () => {
    told = await Promise.all(ZONES.map((zone) => tells(zone)));
  });

  for (const [title, mesh, under] of MESHES) {
    describe(title, () => {
      const parts = new Map<ZoneName, { readonly part: OwnPart; readonly own: Resources; readonly whole: Resources }>();
      let all: Resources;

      before(async () => {
        all = await rehearsed(mesh(), {}, under);
        for (const zone of ZONES) {
          const settings = { ...under, part: zone };
          const part = partOf(
            mesh(),
            zone,
            told.filter((one) => one.part !== zone),
            under,
          );
          const own = await rehearsedPart(mesh(), settings, part);
          parts.set(zone, { part, own, whole: await rehearsedPart(mesh(), settings) });
        }
      });

      it("make each resource of the whole once, and no other", () => {
        const made = [...parts.values()].flatMap(({ own }) => own.filter(isMade).map(keyOf));
        assert.equal(new Set(made).size, made.length);
        assert.deepEqual(made.sort(), all.filter(isMade).map(keyOf).sort());
      });

      it("make it of the same, but for what other stacks told, and whom the controller awaits", () => {
        const whole = new Map(all.map((resource) => [keyOf(resource), shownOf(resource)]));
        for (const [zone, { own }] of parts) {
          for (const resource of own.filter(isMade)) {
            const shown = shownOf(resource);
            const expected = structuredClone(whole.get(keyOf(resource)));
            if (resource.name.endsWith("-sidecar-trust") && expected !== undefined) {
              const files = Object.keys(expected.inputs.data ?? {});
              for (const file of files.filter((name) => name !== `${zone}.yaml`)) {
                const [data, known] = [expected.inputs.data, shown.inputs.data?.[file]];
                assert.ok(known?.includes(`name: trust/${file.replace(".yaml", "")}`), known);
                if (data !== undefined && known !== undefined) data[file] = known;
              }
            }
            const annotations = expected?.inputs.metadata?.annotations as unknown as Record<string, string> | undefined;
            if (/^declared-[a-z]+-(trusted|done)$/.test(resource.name) && annotations !== undefined) {
              const known = shown.inputs.metadata?.annotations as unknown as Record<string, string>;
              for (const name of Object.keys(annotations).filter((key) => !key.includes(`-${zone}-`))) {
                assert.match(known[name] ?? "", /^[0-9a-f]{32}$/);
                annotations[name] = known[name] ?? "";
              }
            }
            const awaited = '{"name":"LUCID_ZONES_ELSEWHERE","value":"ops,chain,wallet,edge"},';
            if (/^declared-mesh-(\d+|done)$/.test(resource.name)) {
              const key = "Deployment.lucid-mesh.mesh-controller";
              const entry = shown.inputs.data?.[key];
              if (entry !== undefined && shown.inputs.data !== undefined)
                shown.inputs.data[key] = resource.name.endsWith("done")
                  ? (expected?.inputs.data?.[key] ?? "")
                  : entry.replace(awaited, "");
            }
            if (resource.name === "mesh-controller-deployment") {
              const text = JSON.stringify(shown.inputs);
              assert.ok(text.includes(awaited));
              assert.deepEqual(JSON.parse(text.replace(awaited, "")), expected?.inputs);
            } else {
              assert.deepEqual(shown, expected);
            }
          }
        }
      });

      it("are each proven to be a part of the whole that is proven", () => {
        for (const { part, own, whole } of parts.values()) assert.deepEqual(partViolations(part, whole, own), []);
      });

      it("need no Docker engine and no Consul but in part mesh", () => {
        for (const [zone, { own }] of parts) {
          if (zone !== "mesh")
            assert.ok(!own.some(({ type }) => /^(pulumi:providers:)?(docker|consul)/.test(type)), zone);
        }
      });
    });
  }

  describe("whose program makes something else", () => {
    const POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy";
    let whole: Resources;
    let wallet: OwnPart;
    before(async () => {
      wallet = partOf(
        lucid,
        "wallet",
        told.filter(({ part }) => part !== "wallet"),
      );
      whole = await rehearsedPart(lucid, { ...settings, part: "wallet" });
    });
    const violations = async (change: (type: string, name: string, props: Record<string, unknown>) => void) => {
      const opts: pulumi.ComponentResourceOptions = {
        transforms: [
          ({ type, name, props, opts }) => {
            change(type, name, props);
            return { props, opts };
          },
        ],
      };
      return partViolations(wallet, whole, await rehearsedPart(lucid, { ...settings, part: "wallet" }, wallet, opts));
    };

    it("are found out by an object that is changed", async () => {
      const found = await violations((type, name, props) => {
        if (type === POLICY && name === "wallet-payout-router") (props.spec as { ingress: object[] }).ingress = [{}];
      });
      assert.deepEqual(found, [
        "part wallet: NetworkPolicy lucid-wallet/payout-router: spec.ingress is not what is proven of the whole mesh",
      ]);
    });

    it("are found out by roots that no stack told", async () => {
      const other = await tells("ops");
      const found = await violations((_, name, props) => {
        const data = props.data as Record<string, string> | undefined;
        if (name !== "tron-payment-sidecar-trust" || data === undefined) return;
        const [before = ""] =
          /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/.exec(data["ops.yaml"] ?? "") ?? [];
        assert.notEqual(before, "");
        data["ops.yaml"] = (data["ops.yaml"] ?? "").replace(
          before,
          other.trust.rootsPem.trim().replaceAll("\n", "\n          "),
        );
      });
      assert.deepEqual(found, [
        'part wallet: ConfigMap lucid-wallet/tron-payment-trust: data["ops.yaml"] is not what is proven of the whole mesh',
      ]);
    });

    it("are found out by a digest of roots that no stack told, or of the part's own", async () => {
      for (const zone of ["ops", "wallet"]) {
        const found = await violations((_, name, props) => {
          const { annotations } = (props.metadata ?? {}) as { annotations?: Record<string, unknown> };
          if (name === "declared-wallet-trusted" && annotations !== undefined)
            annotations[`lucid.internal/trust-${zone}-digest`] = "0".repeat(32);
        });
        assert.deepEqual(found.slice(0, 1), [
          `part wallet: ConfigMap lucid-wallet/lucid-declared-trusted: metadata.annotations["lucid.internal/trust-${zone}-digest"] is not what is proven of the whole mesh`,
        ]);
      }
    });

    it("are found out by roots of another zone in the own one's file", async () => {
      const found = await violations((_, name, props) => {
        const data = props.data as Record<string, string> | undefined;
        if (name === "tron-payment-sidecar-trust" && data !== undefined) data["wallet.yaml"] = data["ops.yaml"] ?? "";
      });
      assert.match(found.join("\n"), /data\["wallet\.yaml"\] is not what is proven/);
    });

    it("are found out by what is left out, what is added, and what is another part's", async () => {
      const part = await rehearsedPart(lucid, { ...settings, part: "wallet" }, wallet);
      const deny = part.filter(({ name }) => name !== "wallet-default-deny");
      assert.deepEqual(partViolations(wallet, whole, deny), [
        "part wallet: NetworkPolicy lucid-wallet/default-deny is missing, which part wallet has; declare it with ServiceMesh",
      ]);
      const others = whole.filter(({ name }) => name === "ops-jaeger" || name === "lucid-members");
      assert.equal(others.length, 2);
      assert.deepEqual(
        partViolations(wallet, whole, [...part, ...others]).map((line) => line.split(";")[0]),
        [
          "part wallet: ValidatingAdmissionPolicy lucid-members belongs to part mesh, whose stack makes it",
          "part wallet: NetworkPolicy lucid-ops/jaeger belongs to part ops, whose stack makes it",
        ],
      );
      const unproven = whole.filter(({ name }) => name !== "wallet-tron-payment");
      assert.deepEqual(partViolations(wallet, unproven, part), [
        "part wallet: NetworkPolicy lucid-wallet/tron-payment is not among what the whole mesh has, so it is not proven; declare it there",
      ]);
    });
  });
});
