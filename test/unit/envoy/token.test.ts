import * as assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { renderSidecar, renderTokens } from "../../../envoy";
import type { Message } from "../../../envoy/message";
import { fromYaml } from "../../../envoy/yaml";
import { everyProtocol, OPTIONS } from "./fixture";
import { problemsOf } from "./strict-parse";
import { clustersOf, fieldsNamed, listenersOf } from "./walk";

const JWT = "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication";
const ISSUER = { issuer: "https://kubernetes.default.svc", jwks: '{"keys":[]}' };

describe("the identity token", () => {
  it("is asked for by every principal, as that of the certificate's own service", () => {
    let principals = 0;
    for (const service of everyProtocol.services) {
      for (const principal of fieldsNamed(listenersOf(everyProtocol, service), "principals").flat() as Message[]) {
        const [, zone, name] =
          /^spiffe:\/\/([a-z]+)\.lucid\.internal\/ns\/lucid-\1\/sa\/(.+)$/.exec(
            text(fieldsNamed(fieldsNamed(principal, "principal_name"), "exact")[0]),
          ) ?? assert.fail("no identity");
        assert.deepEqual(fieldsNamed(fieldsNamed(principal, "sourced_metadata"), "exact"), [
          `system:serviceaccount:lucid-${String(zone)}:${String(name)}`,
        ]);
        assert.deepEqual(Object.keys(principal), ["and_ids"]);
        assert.equal((fieldsNamed(principal, "ids")[0] as Message[]).length, 3);
        principals += 1;
      }
    }
    assert.ok(principals > 20);
  });

  it("goes with every request to another sidecar, and never to the application", () => {
    for (const service of everyProtocol.services) {
      for (const cluster of clustersOf(everyProtocol, service)) {
        const filters = fieldsNamed(cluster, "http_filters").flat() as { name: string }[];
        assert.deepEqual(
          filters.map(({ name }) => name),
          /^(outbound|scrape)\|/.test(text(cluster.name))
            ? ["envoy.filters.http.credential_injector", "envoy.filters.http.upstream_codec"]
            : [],
        );
        for (const [field, value] of [
          ["overwrite", true],
          ["allow_request_without_credential", false],
        ] as const) {
          assert.ok(fieldsNamed(filters, field).every((found) => found === value));
        }
      }
    }
  });

  it("goes with every tunnel", () => {
    const tunnels = everyProtocol.services.flatMap((service) =>
      listenersOf(everyProtocol, service).flatMap(({ filter_chains: chains = [] }) =>
        chains.filter((chain) => fieldsNamed(chain, "tunneling_config").length > 0),
      ),
    );
    assert.ok(tunnels.length > 0);
    for (const { filters } of tunnels) {
      assert.deepEqual(
        filters.map(({ name }) => name),
        ["envoy.filters.network.set_filter_state", "envoy.filters.network.tcp_proxy"],
      );
    }
  });

  it("is believed of nobody by what Pulumi writes, as the only key is a digest", () => {
    const [service = assert.fail()] = everyProtocol.services;
    const check = checkIn(renderSidecar(everyProtocol, service, OPTIONS)["tokens.yaml"]);
    assert.deepEqual(fieldsNamed(check, "issuer"), ["https://nobody.invalid"]);
    const { keys } = JSON.parse(text(fieldsNamed(check, "inline_string")[0])) as { keys: Message[] };
    assert.deepEqual(keys, [
      {
        kty: "OKP",
        crv: "Ed25519",
        alg: "EdDSA",
        use: "sig",
        x: createHash("sha256").update("nobody").digest("base64url"),
      },
    ]);
  });

  it("is required of every request, for the mesh alone, and is not passed on", () => {
    const check = checkIn(renderTokens(ISSUER));
    const provider = fieldsNamed(check, "cluster")[0] as Message;
    assert.equal(provider.issuer, ISSUER.issuer);
    assert.deepEqual(provider.audiences, ["mesh.lucid.internal"]);
    assert.deepEqual(provider.local_jwks, { inline_string: ISSUER.jwks });
    assert.equal(provider.forward, false);
    assert.equal(provider.max_lifetime, "610s");
    assert.equal(provider.clock_skew_seconds, 10);
    assert.deepEqual(check.rules, [
      { match: { prefix: "/" }, requires: { provider_name: "cluster" } },
      { match: { connect_matcher: {} }, requires: { provider_name: "cluster" } },
    ]);
    assert.deepEqual(problemsOf("envoy.service.discovery.v3.DiscoveryResponse", fromYaml(renderTokens(ISSUER))), []);
  });
});

function text(value: unknown): string {
  return typeof value === "string" ? value : assert.fail("no text");
}

function checkIn(file: string): Message {
  const [extension] = fromYaml(file).resources as { name: string; typed_config: Message }[];
  assert.equal(extension?.name, "identity-token");
  assert.equal(extension.typed_config["@type"], JWT);
  return extension.typed_config;
}
