import { LUCID_CEILING } from "../../../policies/ceiling";
import type { Ceiling } from "../../../policies/ceiling";
import { mtlsRequired } from "../../../policies/rules/mtls-required";
import { configMap, secret } from "../fixtures/objects";
import { consul, cronJob, deployment, everyWorkload } from "../fixtures/workloads";
import { edit } from "../support/edit";
import type { Json } from "../support/edit";
import { assertFinds, assertPasses, refusesEach } from "../support/judge";
import type { TestResource } from "../support/judge";
import { UNKNOWN } from "../support/unknown";

const POD = "spec.template.spec";
const APP = `${POD}.containers[0]`;
const off = (): TestResource => {
  const { type, properties } = deployment();
  return { type, properties: edit(properties, `${APP}.env[1]`, { name: "ENABLE_MTLS", value: "false" }) };
};
const leave = (party: string): Ceiling => ({ ...LUCID_CEILING, mtlsOptional: { [party]: "moves behind its sidecar" } });

describe("mtls-required", () => {
  const variable = (value: Json) => ({ path: `${APP}.env[1]`, value, finds: /mutual TLS is switched off/ });
  refusesEach(mtlsRequired, deployment, [
    { title: "the variable", ...variable({ name: "ENABLE_MTLS", value: "false" }) },
    { title: "the variable with nothing", ...variable({ name: "ENABLE_MTLS" }) },
    { title: "the variable with what some read as false", ...variable({ name: "ENABLE_MTLS", value: "0" }) },
    { title: "the variable, unknown", ...variable({ name: "ENABLE_MTLS", value: UNKNOWN }) },
    {
      title: "the variable from elsewhere",
      ...variable({ name: "ENABLE_MTLS", valueFrom: { configMapKeyRef: { name: "x", key: "y" } } }),
    },
    {
      title: "the variable of the sidecar",
      path: `${POD}.initContainers[0].env[1]`,
      value: { name: "ENABLE_MTLS", value: "False" },
      finds: /switched off/,
    },
    { title: "an argument", path: `${APP}.args[0]`, value: "--enable-mtls=false", finds: /args\[0\]: mutual TLS/ },
    {
      title: "a shell's",
      path: `${APP}.command`,
      value: ["sh", "-c", "ENABLE_MTLS=$X ./run"],
      finds: /command\[2\]: mutual TLS/,
    },
    { title: "an annotation", path: "metadata.annotations", value: { enableMtls: "no" }, finds: /switched off/ },
  ]);

  it("passes where it is said to be on, and where nothing is said", () => {
    const { type, properties } = deployment();
    assertPasses(mtlsRequired, {
      type,
      properties: edit(properties, `${APP}.env[1]`, { name: "ENABLE_MTLS", value: "true" }),
    });
    assertPasses(mtlsRequired, { type, properties: edit(properties, `${APP}.args[0]`, "--enable-mtls=true") });
    assertPasses(mtlsRequired, { type: "lucid:mesh:Sidecar", properties: { enableMtls: true } });
    for (const workload of [...everyWorkload(), consul()]) assertPasses(mtlsRequired, workload);
  });

  it("judges components, files and Secrets, and prints none of them", () => {
    assertFinds(
      mtlsRequired,
      { type: "lucid:mesh:ServiceMesh", properties: { settings: { enableMtls: false } } },
      /settings\.enableMtls/,
    );
    assertFinds(mtlsRequired, configMap("app-env", { ENABLE_MTLS: "false" }), /data\.ENABLE_MTLS/);
    assertFinds(mtlsRequired, configMap("app-env", { "app.env": "A=1\nENABLE_MTLS=off\n" }), /app\.env/);
    assertFinds(mtlsRequired, configMap("app-env", { "app.yaml": "enableMtls: false" }), /app\.yaml/);
    assertFinds(mtlsRequired, secret({ ENABLE_MTLS: "hunter2" }), /^stringData\.ENABLE_MTLS: [^`]*$/);
    const { type, properties } = cronJob();
    const path = "spec.jobTemplate.spec.template.spec.containers[0].env[1]";
    assertFinds(
      mtlsRequired,
      { type, properties: edit(properties, path, { name: "ENABLE_MTLS", value: "false" }) },
      /switched off/,
    );
  });

  describe("by the ceiling's leave", () => {
    it("lets the listed service be, and nobody else", () => {
      assertPasses(mtlsRequired, off(), leave("wallet/payout-router"));
      assertFinds(mtlsRequired, off(), /switched off/, leave("wallet/tron-payment"));
      assertFinds(mtlsRequired, off(), /switched off/, leave("ops/payout-router"));
      assertPasses(mtlsRequired, off(), leave("*"));
    });
    it("lets files of the listed service be, and components only where everybody is listed", () => {
      const file = configMap("payout-router-env", { ENABLE_MTLS: "false" });
      assertPasses(mtlsRequired, file, leave("wallet/payout-router"));
      assertFinds(mtlsRequired, file, /switched off/, leave("wallet/tron-payment"));
      const component = { type: "lucid:mesh:ServiceMesh", properties: { enableMtls: false } };
      assertFinds(mtlsRequired, component, /switched off/, leave("wallet/payout-router"));
      assertPasses(mtlsRequired, component, leave("*"));
    });
  });
});
