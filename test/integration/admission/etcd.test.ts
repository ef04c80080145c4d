import { ETCD_BACKEND, lucid } from "../../policies/support/planned";
import { edit } from "../../policies/support/edit";
import type { Json, JsonObject } from "../../policies/support/edit";
import type { Manifest } from "./api";
import { assertRefused, Lab, plannedObjects } from "./lab";

const NAMESPACE = "lucid-mesh";
const KEEPER = "etcd-access";

describe("admission, with etcd as the discovery backend", function () {
  this.timeout(300_000);
  let lab: Lab;
  let objects: readonly Manifest[];

  before(async () => {
    lab = await Lab.start(lucid, ETCD_BACKEND);
    objects = await plannedObjects(lucid, ETCD_BACKEND);
  });
  after(() => lab.stop());

  it("lets in all that the program makes", async () => {
    for (const object of objects) await lab.apply(object);
  });

  describe("a certificate for etcd", () => {
    const mountedIn = (namespace: string, service: string, secretName: string) => {
      const deployment = objects.find(
        ({ kind, metadata }) => kind === "Deployment" && metadata?.name === service && metadata.namespace === namespace,
      ) as unknown as JsonObject;
      const { volumes, containers } = (
        deployment as unknown as { spec: { template: { spec: { volumes: Json[]; containers: JsonObject[] } } } }
      ).spec.template.spec;
      const [application, ...others] = containers;
      const volumeMounts = [...((application?.volumeMounts ?? []) as Json[]), { name: "more", mountPath: "/more" }];
      const withVolume = edit(deployment, "spec.template.spec.volumes", [
        ...volumes,
        { name: "more", secret: { secretName } },
      ]);
      return edit(withVolume, "spec.template.spec.containers", [
        { ...application, volumeMounts },
        ...others,
      ]) as unknown as Manifest;
    };
    const PRIVATE = /another container than the sidecar mounts its key/;

    it("is no one's application's but a registrar's", async () => {
      await lab.apply(mountedIn(NAMESPACE, "mesh-controller", "mesh-controller-etcd-tls"));
      await assertRefused(
        lab.apply(mountedIn("lucid-wallet", "payout-router", "payout-router-etcd-tls")),
        "lucid-sidecar-files",
        PRIVATE,
      );
    });

    it("stands in a Secret of its own, beside the sidecar's key", async () => {
      const own = mountedIn(NAMESPACE, "mesh-controller", "mesh-controller-tls");
      await assertRefused(lab.apply(own), "lucid-sidecar-files", PRIVATE);
    });
  });

  describe("a ReplicaSet of infrastructure", () => {
    /** As the Deployment controller makes it, or as somebody does. */
    const replicaSet = (name: string, service: string, owner?: { kind: string; name: string }) => {
      const workload = objects.find(
        ({ kind, metadata }) =>
          ["Deployment", "StatefulSet"].includes(kind ?? "") &&
          metadata?.name === service &&
          metadata.namespace === NAMESPACE,
      ) as unknown as { metadata: JsonObject; spec: { selector: JsonObject; template: JsonObject } };
      const uid = "1c0b0d5e-5d0c-4f3b-9d0e-2c4f6a8b0c1d";
      const ownerReferences = owner === undefined ? [] : [{ apiVersion: "apps/v1", uid, ...owner }];
      const { selector, template } = workload.spec;
      return {
        apiVersion: "apps/v1",
        kind: "ReplicaSet",
        metadata: { ...workload.metadata, name, ownerReferences },
        spec: { replicas: 0, selector, template },
      } as unknown as Manifest;
    };

    it("is made by its Deployment", async () => {
      await lab.create(replicaSet(`${KEEPER}-55d6bb6f8f`, KEEPER, { kind: "Deployment", name: KEEPER }));
    });

    for (const [what, set] of Object.entries({
      "belongs to nobody": () => replicaSet(`${KEEPER}-55d6bb6f90`, KEEPER),
      "belongs to another Deployment": () =>
        replicaSet(`${KEEPER}-55d6bb6f91`, KEEPER, { kind: "Deployment", name: "mesh-controller" }),
      "belongs to what is no Deployment": () =>
        replicaSet(`${KEEPER}-55d6bb6f92`, KEEPER, { kind: "StatefulSet", name: KEEPER }),
    })) {
      it(`is refused where it ${what}`, async () => {
        await assertRefused(lab.create(set()), "lucid-members", /does not bear the name of its service/);
      });
    }
  });
});
