import { LUCID_CEILING } from "../../../policies/ceiling";
import { secretsOwnOnly } from "../../../policies/rules/secrets-own-only";
import { consul, deployment, everyWorkload } from "../fixtures/workloads";
import { edit } from "../support/edit";
import type { Json } from "../support/edit";
import { assertFinds, assertPasses, refusesEach } from "../support/judge";
import { UNKNOWN } from "../support/unknown";

const POD = "spec.template.spec";

describe("secrets-own-only", () => {
  const app = `${POD}.containers[0]`;
  const read = (title: string, path: string, value: Json) => ({ title, path, value, finds: /which is not theirs/ });
  refusesEach(secretsOwnOnly, deployment, [
    read("another's Secret in a volume", `${POD}.volumes[4]`, {
      name: "x",
      secret: { secretName: "tron-payment-tls" },
    }),
    read("the management token's", `${POD}.volumes[4]`, { name: "x", secret: { secretName: "consul-config" } }),
    read("another's in a projected volume", `${POD}.volumes[4]`, {
      name: "x",
      projected: { sources: [{ secret: { name: "tron-payment-tls" } }] },
    }),
    read("another's in a variable", `${app}.env[1]`, {
      name: "KEY",
      valueFrom: { secretKeyRef: { name: "tron-payment-key", key: "k" } },
    }),
    read("another's as variables", `${app}.envFrom`, [{ secretRef: { name: "tron-payment-key" } }]),
    read("another's in an init container", `${POD}.initContainers[1].envFrom`, [
      { secretRef: { name: "mesh-controller-tokens" } },
    ]),
    read("another's for a registry", `${POD}.imagePullSecrets`, [{ name: "registry" }]),
    read("another's for a driver", `${POD}.volumes[4]`, {
      name: "x",
      csi: { driver: "d", nodePublishSecretRef: { name: "y" } },
    }),
    read("a Secret of its bare name", `${app}.envFrom`, [{ secretRef: { name: "payout-router" } }]),
    { ...read("an unknown Secret", `${POD}.volumes[1].secret.secretName`, UNKNOWN), finds: /can't be known/ },
  ]);

  it("lets every kind of workload read its own", () => {
    for (const workload of [...everyWorkload(), consul()]) assertPasses(secretsOwnOnly, workload);
  });

  it("tells a member from one whose name begins alike", () => {
    const { type, properties } = deployment();
    const reading = edit(properties, `${app}.envFrom`, [{ secretRef: { name: "payout-router-audit-key" } }]);
    assertPasses(secretsOwnOnly, { type, properties: reading });
    const members = { ...LUCID_CEILING.members, wallet: ["payout-router", "payout-router-audit"] };
    assertFinds(secretsOwnOnly, { type, properties: reading }, /not theirs/, { ...LUCID_CEILING, members });
  });
});
