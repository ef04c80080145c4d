import assert from "node:assert/strict";
import { LUCID_CEILING } from "../../../policies/ceiling";
import { Field } from "../../../policies/judgement/field";
import { judgeResource } from "../../../policies/judgement/rule";
import { serviceAccountTokens } from "../../../policies/rules/service-account-tokens";
import { secret, serviceAccount } from "../fixtures/objects";
import { consul, cronJob, deployment, everyWorkload } from "../fixtures/workloads";
import { edit } from "../support/edit";
import { assertFinds, assertPasses, refusesEach } from "../support/judge";
import { UNKNOWN } from "../support/unknown";

const POD = "spec.template.spec";
const TOKEN = `${POD}.volumes[3].projected.sources[0].serviceAccountToken`;

describe("service-account-tokens", () => {
  describe("on a ServiceAccount", () => {
    refusesEach(serviceAccountTokens, serviceAccount, [
      { title: "one that says nothing", path: "automountServiceAccountToken", finds: /every pod of the account/ },
      {
        title: "one that mounts",
        path: "automountServiceAccountToken",
        value: true,
        finds: /every pod of the account/,
      },
      { title: "an unknown one", path: "automountServiceAccountToken", value: UNKNOWN, finds: /every pod/ },
      { title: "one with a token of its own", path: "secrets", value: [{ name: "old" }], finds: /never ends/ },
    ]);
  });

  describe("on a Secret", () => {
    refusesEach(serviceAccountTokens, () => secret({}), [
      { title: "a token for ever", path: "type", value: "kubernetes.io/service-account-token", finds: /never ends/ },
      { title: "an unknown type", path: "type", value: UNKNOWN, finds: /can't be known at preview/ },
    ]);
  });

  describe("on a pod", () => {
    refusesEach(serviceAccountTokens, deployment, [
      {
        title: "one that says nothing",
        path: `${POD}.automountServiceAccountToken`,
        finds: /wallet\/payout-router would have/,
      },
      { title: "one that mounts", path: `${POD}.automountServiceAccountToken`, value: true, finds: /apiClients/ },
      { title: "an unknown one", path: `${POD}.automountServiceAccountToken`, value: UNKNOWN, finds: /would have/ },
      {
        title: "a token for the API server",
        path: `${TOKEN}.audience`,
        finds: /would have a token for the Kubernetes API/,
      },
      { title: "a token for an empty audience", path: `${TOKEN}.audience`, value: "", finds: /for the Kubernetes API/ },
      { title: "a token for another", path: `${TOKEN}.audience`, value: "vault", finds: /the token is for `vault`/ },
      { title: "a token for an unknown one", path: `${TOKEN}.audience`, value: UNKNOWN, finds: /not known at preview/ },
      { title: "a token for a day", path: `${TOKEN}.expirationSeconds`, value: 86_400, finds: /600 to 3600 seconds/ },
      { title: "a token for no time", path: `${TOKEN}.expirationSeconds`, value: 1, finds: /600 to 3600 seconds/ },
      { title: "an unknown life", path: `${TOKEN}.expirationSeconds`, value: UNKNOWN, finds: /can't be known/ },
    ]);
    it("judges every kind that makes pods", () => {
      for (const workload of [...everyWorkload(), consul()]) assertPasses(serviceAccountTokens, workload);
      const { type, properties } = cronJob();
      const path = "spec.jobTemplate.spec.template.spec.automountServiceAccountToken";
      assertFinds(serviceAccountTokens, { type, properties: edit(properties, path, true) }, /would have a token/);
    });
  });

  describe("of whom the ceiling lists", () => {
    const controller = deployment("mesh-controller", "mesh");
    const asking = {
      ...controller,
      properties: edit(controller.properties, `${POD}.automountServiceAccountToken`, true),
    };
    it("lets the pod have one, and none that is unsaid", () => {
      assertPasses(serviceAccountTokens, asking);
      assertPasses(serviceAccountTokens, controller);
      assertPasses(serviceAccountTokens, {
        ...asking,
        properties: edit(asking.properties, `${TOKEN}.audience`, undefined),
      });
      const unsaid = edit(asking.properties, `${POD}.automountServiceAccountToken`, undefined);
      assertFinds(serviceAccountTokens, { ...asking, properties: unsaid }, /say true or false/);
    });
    it("refuses it once the ceiling does not", () => {
      assertFinds(serviceAccountTokens, asking, /mesh\/mesh-controller would have/, {
        ...LUCID_CEILING,
        apiClients: {},
      });
    });
    it("refuses it under the listed account's name in another zone", () => {
      const elsewhere = edit(asking.properties, "metadata.namespace", "lucid-wallet");
      assertFinds(serviceAccountTokens, { ...asking, properties: elsewhere }, /wallet\/mesh-controller would have/);
    });
  });

  it("takes the longest life from the configuration", () => {
    const { type, properties } = deployment();
    const resource = { type, name: "test", properties: new Field(edit(properties, `${TOKEN}.expirationSeconds`, 900)) };
    assert.deepEqual(judgeResource(serviceAccountTokens, resource, LUCID_CEILING), []);
    const found = judgeResource(serviceAccountTokens, resource, LUCID_CEILING, { longestSeconds: 600 });
    assert.deepEqual(
      found.map(({ mend }) => mend),
      ["let it live 600 to 600 seconds"],
    );
  });
});
