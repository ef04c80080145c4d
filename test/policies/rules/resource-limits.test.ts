import assert from "node:assert/strict";
import { LUCID_CEILING } from "../../../policies/ceiling";
import { Field } from "../../../policies/judgement/field";
import { judgeResource } from "../../../policies/judgement/rule";
import { resourceLimits } from "../../../policies/rules/resource-limits";
import { consul, cronJob, deployment, everyWorkload, job } from "../fixtures/workloads";
import { edit } from "../support/edit";
import { assertFinds, assertPasses, refusesEach } from "../support/judge";
import { UNKNOWN } from "../support/unknown";

const POD = "spec.template.spec";

describe("resource-limits", () => {
  for (const [what, container] of [
    ["an application", `${POD}.containers[0]`],
    ["the sidecar", `${POD}.initContainers[0]`],
    ["the start gate", `${POD}.initContainers[1]`],
  ] as const) {
    describe(`on ${what}`, () => {
      refusesEach(resourceLimits, deployment, [
        { title: "nothing said", path: `${container}.resources`, finds: /all of the node's memory/ },
        {
          title: "no limits",
          path: `${container}.resources.limits`,
          finds: /limits\.memory: .*all of the node's memory/,
        },
        { title: "no memory request", path: `${container}.resources.requests.memory`, finds: /the memory it needs/ },
        { title: "no CPU request", path: `${container}.resources.requests.cpu`, finds: /the CPU it needs/ },
        { title: "a limit of nothing", path: `${container}.resources.limits.memory`, value: "0", finds: /no amount/ },
        {
          title: "no amount",
          path: `${container}.resources.limits.memory`,
          value: "much",
          finds: /`much` is no amount/,
        },
        {
          title: "an unknown limit",
          path: `${container}.resources.limits.memory`,
          value: UNKNOWN,
          finds: /can't be known/,
        },
        {
          title: "more than any node has",
          path: `${container}.resources.limits.memory`,
          value: "1Ti",
          finds: /8192Mi at most/,
        },
        {
          title: "less than it needs",
          path: `${container}.resources.limits.memory`,
          value: "1Mi",
          finds: /needs more memory/,
        },
        {
          title: "less CPU than it needs",
          path: `${container}.resources.limits.cpu`,
          value: "1m",
          finds: /needs more cpu/,
        },
      ]);
    });
  }

  describe("on a volume", () => {
    refusesEach(resourceLimits, deployment, [
      {
        title: "a volume in memory without end",
        path: `${POD}.volumes[2].emptyDir.sizeLimit`,
        finds: /the node's memory/,
      },
      { title: "one on disk without end", path: `${POD}.volumes[2].emptyDir`, value: {}, finds: /the node's disk/ },
      {
        title: "one of any size",
        path: `${POD}.volumes[2].emptyDir.sizeLimit`,
        value: "1Ti",
        finds: /16384Mi at most/,
      },
    ]);
  });

  it("judges every kind that makes pods, and infrastructure as well", () => {
    for (const workload of [...everyWorkload(), job(), cronJob(), consul()]) assertPasses(resourceLimits, workload);
    const { type, properties } = cronJob();
    const path = "spec.jobTemplate.spec.template.spec.containers[0].resources";
    assertFinds(resourceLimits, { type, properties: edit(properties, path, undefined) }, /all of the node's memory/);
    const servers = consul();
    const bare = edit(servers.properties, `${POD}.containers[0].resources`, undefined);
    assertFinds(resourceLimits, { ...servers, properties: bare }, /all of the node's memory/);
  });

  it("judges an ephemeral container", () => {
    const { type, properties } = deployment();
    const debugged = edit(properties, `${POD}.ephemeralContainers`, [{ name: "debug", image: "busybox:1.36.1" }]);
    assertFinds(resourceLimits, { type, properties: debugged }, /ephemeralContainers\[0\]/);
  });

  it("takes numbers for amounts, and its bounds from the configuration", () => {
    const { type, properties } = deployment();
    const number = edit(properties, `${POD}.containers[0].resources.requests.cpu`, 1);
    assertPasses(resourceLimits, { type, properties: number });
    const resource = { type, name: "test", properties: new Field(number) };
    const values = { mostMemoryMi: 64, mostVolumeMi: 1 };
    const found = judgeResource(resourceLimits, resource, LUCID_CEILING, values).map(({ mend }) => mend);
    assert.deepEqual(found, Array(3).fill("give it 64Mi at most"));
  });

  it("leaves pods outside the mesh alone", () => {
    const { type, properties } = deployment();
    const bare = edit(edit(properties, `${POD}.containers[0].resources`, undefined), "metadata.namespace", "default");
    assertPasses(resourceLimits, { type, properties: bare });
  });
});
