import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { load } from "js-yaml";
import { checkoutDir } from "../../../dev/paths";
import { SIDECAR_PORTS, resolveMesh, serviceNamed, validateDocument } from "../../../mesh";
import type { Service } from "../../../mesh";
import { policyConfig } from "../support/ceiling";
import { apps, core, exec, networking, podGenerations, podOf, podsOf } from "../support/cluster";
import { passingInstances } from "../support/discovery";
import { service } from "../support/document";
import { eventually } from "../support/eventually";
import { JOINED, RAISED, lettingJoin } from "../support/stacks/joining-document";
import { join, leave, previewJoin } from "../support/stacks/joining-stack";
import { connects, testerIn } from "../support/tester";
import { deploy, deployDeclared, written } from "../support/stacks/variation";
import type { WrittenDocument } from "../support/stacks/variation";

const NEW_PODS_SECONDS = 180;

/** The joined service, as the mesh resolves it. */
function joinedService(): Service {
  const document = load(readFileSync(path.join(checkoutDir, "mesh.yaml"), "utf8")) as WrittenDocument;
  lettingJoin(document);
  return serviceNamed(resolveMesh(validateDocument(document)), JOINED.name);
}

const billing = joinedService();
const { name, namespace } = billing;
const admin = service("admin-ui");
const url = (callee: Service) => `http://${callee.hostname}/debug`;

async function curl(from: Service, target: string) {
  return exec(await podOf(from), "app", ["fortio", "curl", target]);
}

/** The mesh by its own stack, and one service of it by another. */
describe("a service that another stack brings", function () {
  this.timeout(900_000);

  before(() => deploy({ document: lettingJoin, policyConfig: policyConfig(RAISED) }));

  after(async () => {
    try {
      await leave();
    } finally {
      await deployDeclared();
    }
  });

  it("has from the mesh's stack everything but its pods", async () => {
    await core.readNamespacedServiceAccount({ name, namespace });
    await core.readNamespacedSecret({ name: `${name}-tls`, namespace });
    await core.readNamespacedConfigMap({ name: `${name}-envoy`, namespace });
    await core.readNamespacedConfigMap({ name: `${name}-trust`, namespace });
    await networking.readNamespacedNetworkPolicy({ name, namespace });
    await assert.rejects(apps.readNamespacedDeployment({ name, namespace }), /404/);
    assert.deepEqual(await podsOf(billing), []);
  });

  it("is brought by a stack of its own, which the policy pack passes", async () => {
    const { status, output } = await join();
    assert.equal(status, 0, output);
    assert.match(output, /lucid-mesh@v\S+ \(local: /);
    const { spec } = await core.readNamespacedPod(await podOf(billing));
    assert.deepEqual(
      spec?.initContainers?.map((container) => container.name),
      ["sidecar", "start-gate"],
    );
  });

  it("is registered by the mesh's controller", async () => {
    await eventually("its registration", async () => {
      const pods = await podsOf(billing);
      const instances = await passingInstances(name, billing.zone);
      assert.deepEqual(
        instances.map(({ Address }) => Address),
        pods.map(({ ip }) => ip),
      );
    });
  });

  for (const [from, to] of [
    [admin, billing],
    [billing, admin],
  ] as const) {
    it(`answers ${from.name} -> ${to.name}, and the callee sees who called`, async () => {
      await eventually("the call", async () => {
        const { code, stdout, stderr } = await curl(from, url(to));
        assert.equal(code, 0, stderr);
        assert.match(stdout, new RegExp(`X-Forwarded-Client-Cert: .*URI=${from.identity}`, "i"));
      });
    });
  }

  const undeclared: readonly (readonly [Service, Service])[] = [
    [billing, service("lucid-blocks")],
    [service("tron-payment"), billing],
    [service("payout-router"), billing],
  ];
  for (const [from, to] of undeclared) {
    it(`refuses ${from.name} -> ${to.name}, which is not declared: by name and on the network`, async () => {
      const { code, stderr } = await curl(from, url(to));
      assert.notEqual(code, 0);
      assert.match(stderr, /no such host|NXDOMAIN|server misbehaving/i);
      const { ip } = await podOf(to);
      assert.equal(await connects(await testerIn(from), ip, SIDECAR_PORTS.inbound), false);
    });
  }

  it("reaches on the network whom it may call: the refusals above are no dead tester's", async () => {
    assert.equal(await connects(await testerIn(billing), (await podOf(admin)).ip, SIDECAR_PORTS.inbound), true);
  });

  it("is rolled by its own stack alone, when the mesh has changed what its sidecar starts with", async () => {
    const before = await podGenerations([billing]);
    const changed = (document: WrittenDocument) => {
      lettingJoin(document);
      written(document, name).load = { connections: 5000 };
    };
    await deploy({ document: changed, policyConfig: policyConfig(RAISED) });
    assert.deepEqual(await podGenerations([billing]), before, "the mesh's stack rolls nothing that it did not bring");
    const told = await previewJoin("--expect-no-changes");
    assert.notEqual(told.status, 0, told.output);
    const { status, output } = await join();
    assert.equal(status, 0, output);
    await eventually(
      "new pods alone",
      async () => {
        const after = Object.keys(await podGenerations([billing]));
        assert.ok(after.length > 0 && !after.some((pod) => pod in before), after.join());
      },
      NEW_PODS_SECONDS,
    );
    await eventually("the call to the new pod", async () => assert.equal((await curl(admin, url(billing))).code, 0));
  });

  it("a second pulumi up of its stack changes nothing", async () => {
    const { status, output } = await join("--expect-no-changes");
    assert.equal(status, 0, output);
  });
});
