import assert from "node:assert/strict";
import { SIDECAR_PORTS, podsAtOnce } from "../../../mesh";
import { apps, core, exec, mergePatch, podOf, podsOf } from "../support/cluster";
import { consul } from "../support/consul";
import { mayRegister, only, passingInstances } from "../support/discovery";
import { mesh, service } from "../support/document";
import { eventually } from "../support/eventually";
import { resolved, resolverAddress } from "../support/resolver";
import { testerIn } from "../support/tester";

const subject = service("tron-payment");
const asker = service("payout-router");

describe("discovery", () => {
  for (const registered of mesh.services) {
    it(`${registered.name} is registered, passing, with its pods' addresses and its tags`, async () => {
      await eventually(`the registration of ${registered.name}`, async () => {
        const pods = await podsOf(registered);
        const instances = await passingInstances(registered.name, registered.zone);
        assert.deepEqual(sorted(instances.map(({ Address }) => Address)), sorted(pods.map(({ ip }) => ip)));
        for (const instance of instances) {
          assert.equal(instance.Port, SIDECAR_PORTS.inbound);
          assert.ok(
            instance.Tags.includes(`zone=${registered.zone}`) &&
              instance.Tags.includes(`version=${registered.version}`),
            instance.Tags.join(),
          );
        }
      });
    });
  }

  it("the node resolver answers with the pods' addresses", async () => {
    await eventually("the answer", async () => {
      assert.deepEqual(
        await resolved(await testerIn(asker), subject),
        sorted((await podsOf(subject)).map(({ ip }) => ip)),
      );
    });
  });

  it("the node resolver knows no other name: it is no tunnel", async () => {
    const resolver = await resolverAddress();
    const tester = await testerIn(asker);
    const { stdout, stderr } = await exec(tester, tester.container, [
      "nslookup",
      "kubernetes.default.svc.cluster.local",
      resolver,
    ]);
    assert.match(stdout + stderr, /REFUSED|can't find|can't resolve|SERVFAIL/i);
  });

  it("a deleted pod leaves the catalogue and its successor enters it, with no pulumi up", async () => {
    const gone = await podOf(subject);
    await core.deleteNamespacedPod(gone);
    await eventually(
      "the change of registrations",
      async () => {
        const addresses = (await passingInstances(subject.name, subject.zone)).map(({ ID }) => ID);
        assert.ok(!addresses.includes(gone.name), `${gone.name} is still there`);
        assert.equal(addresses.length, 1);
      },
      120,
    );
  });

  it("scaling up adds an instance, and scaling down takes it away", async () => {
    const scale = (replicas: number) =>
      apps.patchNamespacedDeploymentScale(
        { name: subject.name, namespace: subject.namespace, body: { spec: { replicas } } },
        mergePatch,
      );
    const count = (expected: number) =>
      eventually(
        `${expected} instances in DNS`,
        async () => assert.equal((await resolved(await testerIn(asker), subject)).length, expected),
        120,
      );
    await scale(2);
    try {
      await count(2);
    } finally {
      await scale(podsAtOnce(subject));
    }
    await count(podsAtOnce(subject));
  });
});

describe("rights to register", () => {
  for (const zone of mesh.zones.filter(({ name }) => mesh.services.some((candidate) => candidate.zone === name))) {
    for (const other of mesh.services.filter((candidate) => candidate.zone !== zone.name)) {
      it(`who registers for zone ${zone.name} can't register ${other.name}`, async () => {
        assert.equal(await mayRegister(zone.name, other.name), false);
      });
    }
  }
});

only("consul", "what is shown and registered without a token", () => {
  describe("Consul's ACLs", () => {
    it("without a token nothing is shown", async () => {
      const { status, body } = await consul("GET", "/v1/catalog/service/tron-payment");
      assert.deepEqual({ status, services: JSON.parse(body) as unknown }, { status: 200, services: [] });
    });

    it("without a token nothing is registered", async () => {
      const { status } = await consul("PUT", "/v1/catalog/register", {
        body: {
          Node: "lucid-wallet-intruder",
          Address: "127.0.0.9",
          Service: { Service: "tron-payment", Address: "127.0.0.9", Port: 1 },
        },
      });
      assert.equal(status, 403);
    });
  });
});

function sorted(items: readonly string[]): string[] {
  return [...items].sort();
}
