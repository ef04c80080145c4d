import { AdmissionregistrationV1Api, RbacAuthorizationV1Api } from "@kubernetes/client-node";
import assert from "node:assert/strict";
import { LABELS, PART_OF } from "../../../mesh";
import { core, kubeConfig, networking } from "../support/cluster";
import { mesh } from "../support/document";
import { eventually } from "../support/eventually";
import { pulumi } from "../support/pulumi";

describe("pulumi destroy", function () {
  this.timeout(600_000);

  it("ends well", async () => {
    const { status, output } = await pulumi("destroy", "--yes", "--non-interactive");
    assert.equal(status, 0, output);
  });

  it("leaves no namespace of the mesh", async () => {
    await eventually("the namespaces' end", async () => {
      const names = (await core.listNamespace()).items.map(({ metadata }) => metadata?.name ?? "");
      assert.deepEqual(
        names.filter((name) => mesh.zones.some(({ namespace }) => namespace === name)),
        [],
      );
    });
  });

  it("leaves no object of the mesh anywhere, and no volume", async () => {
    const admission = kubeConfig.makeApiClient(AdmissionregistrationV1Api);
    const rbac = kubeConfig.makeApiClient(RbacAuthorizationV1Api);
    const labelSelector = `${LABELS.partOf}=${PART_OF}`;
    await eventually(
      "the end of the mesh's objects",
      async () => {
        const lists = await Promise.all([
          admission.listValidatingAdmissionPolicy({ labelSelector }),
          admission.listValidatingAdmissionPolicyBinding({ labelSelector }),
          rbac.listClusterRole({ labelSelector }),
          rbac.listClusterRoleBinding({ labelSelector }),
          rbac.listRoleForAllNamespaces({ labelSelector }),
          rbac.listRoleBindingForAllNamespaces({ labelSelector }),
          core.listServiceForAllNamespaces({ labelSelector }),
          core.listConfigMapForAllNamespaces({ labelSelector }),
          core.listSecretForAllNamespaces({ labelSelector }),
          core.listPodForAllNamespaces({ labelSelector }),
          networking.listNetworkPolicyForAllNamespaces({ labelSelector }),
        ]);
        const left = lists.flatMap(({ items }) => items.map(({ metadata }) => metadata?.name));
        assert.deepEqual(left, []);
        const volumes = (await core.listPersistentVolume()).items.filter(({ spec }) =>
          spec?.claimRef?.namespace?.startsWith("lucid-"),
        );
        assert.deepEqual(
          volumes.map(({ metadata }) => metadata?.name),
          [],
        );
      },
      120,
    );
  });

  it("leaves nothing in the state", async () => {
    const { output } = await pulumi("stack", "export");
    const state = JSON.parse(output) as { deployment: { resources?: { urn: string }[] } };
    assert.deepEqual(
      (state.deployment.resources ?? []).map(({ urn }) => urn),
      [],
    );
  });
});
