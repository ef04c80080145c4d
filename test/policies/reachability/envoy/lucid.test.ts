import assert from "node:assert/strict";
import { Reachability, compare, readMesh } from "../../../../policies/reachability/envoy";
import type { Plain } from "../../../../policies/judgement/plain";
import { edit } from "../../support/edit";
import type { JsonObject } from "../../support/edit";
import { lucid, plannedResources } from "../../support/planned";
import { declarationOf } from "./rendered";

/** The sidecars as the program plans them, pods and accounts among them. */
describe("Lucid's planned sidecars", function () {
  this.timeout(60_000);

  let objects: readonly JsonObject[] = [];

  before(async () => {
    objects = (await plannedResources())
      .filter(({ type }) => type.startsWith("kubernetes:"))
      .map(({ inputs }) => inputs as JsonObject);
  });

  const read = (changed: readonly Plain[]) => readMesh(changed);

  it("do what the document declares", () => {
    const { sidecars, findings } = read(objects);
    assert.deepEqual(findings, []);
    const reachability = new Reachability(sidecars ?? assert.fail());
    assert.deepEqual(
      reachability.sidecars.map(({ party }) => party).sort(),
      lucid.services.map(({ name, zone }) => `${zone}/${name}`).sort(),
    );
    assert.deepEqual(
      compare(reachability, declarationOf(lucid)).map(({ text }) => text),
      [],
    );
  });

  const changed = (kind: string, name: string, change: (object: JsonObject) => JsonObject | undefined) => {
    const isMeant = (object: JsonObject) =>
      object.kind === kind && (object.metadata as { name?: string }).name === name;
    assert.equal(objects.filter(isMeant).length, 1, `${kind} ${name}`);
    const findings = read(objects.flatMap((object) => (isMeant(object) ? (change(object) ?? []) : object))).findings;
    return findings.map(({ object, path, problem }) => `${object}, ${path}: ${problem}`).join("\n");
  };

  it("can't be judged where a pod reads another's files", () => {
    const volumes = "spec.template.spec.volumes";
    const found = changed("Deployment", "payout-router", (object) => {
      const spec = JSON.stringify(object).replaceAll('"payout-router-envoy"', '"tron-payment-envoy"');
      return JSON.parse(spec) as JsonObject;
    });
    assert.match(found, new RegExp(`Deployment lucid-wallet/payout-router, ${volumes}.*: what the sidecar reads at`));
  });

  it("can't be judged where a pod runs as somebody whose files aren't there", () => {
    const found = changed("Deployment", "payout-router", (object) =>
      edit(object, "spec.template.spec.serviceAccountName", "stranger"),
    );
    assert.match(found, /Deployment lucid-wallet\/payout-router, : ServiceAccount lucid-wallet\/stranger/);
  });

  it("can't be judged without an account, or without the roots", () => {
    assert.match(
      changed("ServiceAccount", "payout-router", () => undefined),
      /ServiceAccount lucid-wallet\/payout-router, by which it runs, isn't among the objects/,
    );
    assert.match(
      changed("ConfigMap", "payout-router-trust", () => undefined),
      /ConfigMap lucid-wallet\/payout-router-trust, whose roots it trusts, isn't among the objects/,
    );
  });
});
