import * as assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { consulNetwork } from "../../components/discovery/consul/network";
import { networkPolicies } from "../../components/network/network-policies";
import { renderCertificateSds, renderSidecar, renderTrust } from "../../envoy";
import { loadMesh, peerZones, serviceNamed } from "../../mesh";
import type { Mesh } from "../../mesh";
import { LUCID_CEILING } from "../../policies/ceiling";
import type { Ceiling } from "../../policies/ceiling";
import { envoyListenersMtls } from "../../policies/rules/envoy-listeners-mtls";
import { envoyUpstreamsMtls } from "../../policies/rules/envoy-upstreams-mtls";
import { networkPolicyZoneIsolation } from "../../policies/rules/network-policy-zone-isolation";
import { privateKeysInSecrets } from "../../policies/rules/private-keys-in-secrets";
import { everyProtocol } from "../unit/envoy/fixture";
import { jobsMesh } from "../unit/envoy/jobs-fixture";
import { revokedMesh } from "../unit/envoy/revoked";
import { DECLARED, withTraffic } from "../unit/envoy/traffic-fixture";
import { JOBS_CEILING } from "./fixtures/jobs";
import { configMap, networkPolicy } from "./fixtures/objects";
import { assertFinds, assertPasses } from "./support/judge";
import type { TestResource } from "./support/judge";
import { versionsMesh } from "../unit/envoy/versions-fixture";
import type { Json, JsonObject } from "./support/edit";

const root = path.resolve(__dirname, "../..");
const mesh = loadMesh(readFileSync(path.join(root, "mesh.yaml"), "utf8"), "mesh.yaml");
const envoy = { resolverAddress: "10.96.64.53", tracing: true, adminPort: 15000, mtls: true } as const;
const surroundings = { apiServerCidr: "10.0.0.1/32", apiServerPort: 6443, discovery: { network: consulNetwork } };
const pem = `-----BEGIN CERTIFICATE-----\n${"MIIB".repeat(8)}\n-----END CERTIFICATE-----\n`;

/** A mesh whose calls speak every protocol, and a ceiling that lets them be. */
const everyCall: Ceiling = {
  ...LUCID_CEILING,
  members: Object.fromEntries(
    everyProtocol.zones.map(({ name }) => [
      name,
      everyProtocol.services.filter(({ zone }) => zone === name).map((service) => service.name),
    ]),
  ),
  edges: [{ from: "*", to: "*", ports: ["15001/TCP", "15090/TCP"], reason: "the tests' own mesh" }],
};

/** The NetworkPolicy of one service, as it is rendered. */
function policyOf(declared: Mesh, name: string): TestResource {
  for (const zone of declared.zones) {
    const found = networkPolicies(declared, zone, surroundings).find((policy) => policy.name === name);
    if (found !== undefined) {
      return networkPolicy(zone.name, name, JSON.parse(JSON.stringify(found.spec)) as Record<string, Json>);
    }
  }
  throw new Error(`no policy of ${name}`);
}

const revocations = pem.replaceAll("CERTIFICATE", "X509 CRL");

/** The rules share no code with what renders Lucid; here they meet. */
describe("what Lucid renders passes the pack", () => {
  for (const { title, declared, ceiling } of [
    { title: "Lucid", declared: mesh, ceiling: LUCID_CEILING },
    { title: "Lucid with a service revoked", declared: revokedMesh("payout-router"), ceiling: LUCID_CEILING },
    { title: "Lucid without eyes", declared: revokedMesh("prometheus", "jaeger"), ceiling: LUCID_CEILING },
    { title: "every protocol", declared: everyProtocol, ceiling: everyCall },
    { title: "declared traffic", declared: withTraffic(everyProtocol, () => true, DECLARED), ceiling: everyCall },
  ]) {
    for (const service of declared.services) {
      it(`${title}: sidecar of ${service.name}`, () => {
        const files = { ...renderSidecar(declared, service, envoy), "certificate.yaml": renderCertificateSds() };
        const configuration = configMap(`${service.name}-envoy`, files, service.zone);
        const withdrawals = declared.zones.map((zone) => ({ zone: zone.name, what: "root 1" }));
        const withdrawn = {
          ...renderSidecar(declared, service, { ...envoy, withdrawals }),
          "certificate.yaml": renderCertificateSds(),
        };
        const zones = peerZones(declared, service).map((zone) => [`${zone}.yaml`, renderTrust(zone, pem, revocations)]);
        const trust = configMap(`${service.name}-trust`, Object.fromEntries(zones) as JsonObject, service.zone);
        for (const rule of [envoyListenersMtls, envoyUpstreamsMtls, privateKeysInSecrets]) {
          assertPasses(rule, configuration, ceiling);
          assertPasses(rule, configMap(`${service.name}-envoy`, withdrawn, service.zone), ceiling);
          assertPasses(rule, trust, ceiling);
        }
      });
    }
  }

  const versions = versionsMesh();
  const ceiling = { ...LUCID_CEILING, members: { ...LUCID_CEILING.members, ops: ["console", "shop"] } };
  for (const service of versions.services) {
    it(`sidecar of ${service.name}, with versions side by side`, () => {
      const files = { ...renderSidecar(versions, service, envoy), "certificate.yaml": renderCertificateSds() };
      const configuration = configMap(`${service.name}-envoy`, files, service.zone);
      for (const rule of [envoyListenersMtls, envoyUpstreamsMtls]) assertPasses(rule, configuration, ceiling);
      if (service.name !== "console") return;
      for (const [field, other] of [
        ["metadata_fallback_policy", "single_host_per_subset"],
        ["update_merge_window", "close_connections_on_host_set_change"],
      ] as const) {
        const changed = files["clusters.yaml"].replace(`${field}:`, `${other}:`);
        assert.notEqual(changed, files["clusters.yaml"]);
        const loosened = configMap("console-envoy", { ...files, "clusters.yaml": changed }, service.zone);
        assertFinds(envoyUpstreamsMtls, loosened, new RegExp(`${other}: the field is none`), ceiling);
      }
    });
  }

  describe("of jobs", () => {
    const jobs = jobsMesh();
    for (const service of jobs.services) {
      it(`sidecar and NetworkPolicy of ${service.name}`, () => {
        const configuration = configMap(
          `${service.name}-envoy`,
          { ...renderSidecar(jobs, service, envoy) },
          service.zone,
        );
        for (const rule of [envoyListenersMtls, envoyUpstreamsMtls]) assertPasses(rule, configuration, JOBS_CEILING);
        assertPasses(networkPolicyZoneIsolation, policyOf(jobs, service.name), JOBS_CEILING);
      });
    }

    it("a job that calls what the ceiling does not allow is refused, by its sidecar and by its NetworkPolicy", () => {
      const nightly = serviceNamed(jobs, "nightly");
      const configuration = configMap("nightly-envoy", { ...renderSidecar(jobs, nightly, envoy) }, "ops");
      const ceiling: Ceiling = { ...JOBS_CEILING, edges: LUCID_CEILING.edges };
      assertFinds(envoyUpstreamsMtls, configuration, /ops\/nightly reach chain\/lucid-blocks/, ceiling);
      assertFinds(networkPolicyZoneIsolation, policyOf(jobs, "nightly"), /ops\/nightly.*chain\/lucid-blocks/, ceiling);
    });

    it("a job that is no member has no sidecar's configuration", () => {
      const nightly = serviceNamed(jobs, "nightly");
      const configuration = configMap("nightly-envoy", { ...renderSidecar(jobs, nightly, envoy) }, "ops");
      assertFinds(envoyListenersMtls, configuration, /`nightly` is not a member of zone ops/);
    });

    it("a job that listens for calls under another service's name is refused", () => {
      const nightly = serviceNamed(jobs, "nightly");
      const files = renderSidecar(jobs, nightly, envoy);
      const { "listeners.yaml": foreign } = renderSidecar(jobs, serviceNamed(jobs, "ledger"), envoy);
      const configuration = configMap("nightly-envoy", { ...files, "listeners.yaml": foreign }, "ops");
      assertFinds(envoyListenersMtls, configuration, /server name is not one of this service/, JOBS_CEILING);
    });
  });

  for (const zone of mesh.zones) {
    it(`NetworkPolicies of ${zone.name}`, () => {
      for (const declared of [mesh, revokedMesh("payout-router", "mesh-controller")]) {
        for (const { name, spec } of networkPolicies(declared, zone, surroundings)) {
          const plain = JSON.parse(JSON.stringify(spec)) as Record<string, Json>;
          assertPasses(networkPolicyZoneIsolation, networkPolicy(zone.name, name, plain));
        }
      }
    });
  }
});
