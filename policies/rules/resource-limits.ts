import type { Field } from "../judgement/field";
import type { Findings } from "../judgement/finding";
import type { Values } from "../judgement/parameters";
import type { ResourceRule } from "../judgement/rule";
import { KubeObject } from "../kubernetes/object";
import { allContainers, makesPods, podTemplates } from "../kubernetes/pods";
import { parseQuantity } from "../kubernetes/quantity";

const MEBIBYTE = 2 ** 20;

type Bound = "mostMemoryMi" | "mostVolumeMi";

/** No container takes what others on its node need: each says what it needs, and what it may take of memory and of the node's disk. */
export const resourceLimits: ResourceRule<Bound> = {
  name: "resource-limits",
  description:
    "Every container, sidecars and init containers too, requests CPU and memory and has a memory limit; every emptyDir has a size limit.",
  severity: "medium",
  remediation:
    "Give the service `resources` in mesh.yaml, or the container requests and a memory limit; give each emptyDir a sizeLimit.",
  uses: [],
  takesExceptions: true,
  parameters: {
    mostMemoryMi: {
      default: 8192,
      minimum: 1,
      maximum: 1_048_576,
      description: "Most memory that one container may take, in MiB.",
    },
    mostVolumeMi: {
      default: 16_384,
      minimum: 1,
      maximum: 1_048_576,
      description: "Most that one emptyDir may hold, in MiB.",
    },
  },
  concerns: makesPods,
  judge(resource, _ceiling, findings, values) {
    const object = KubeObject.of(resource);
    if (!object?.concernsMesh) return;
    for (const { spec } of podTemplates(object)) {
      for (const { field } of allContainers(spec)) judgeContainer(field.at("resources"), values, findings);
      for (const volume of spec.at("volumes").items()) {
        if (volume.has("emptyDir")) judgeVolume(volume.at("emptyDir"), values, findings);
      }
    }
  },
};

function judgeContainer(resources: Field, values: Values<Bound>, findings: Findings): void {
  const [requests, limits] = [resources.at("requests"), resources.at("limits")];
  const memory = amount(
    limits.at("memory"),
    findings,
    "the container may take all of the node's memory",
    "set limits.memory",
  );
  const needed = amount(
    requests.at("memory"),
    findings,
    "the container says nothing of the memory it needs",
    "set requests.memory",
  );
  const cpu = amount(
    requests.at("cpu"),
    findings,
    "the container says nothing of the CPU it needs",
    "set requests.cpu",
  );
  const limit = limits.has("cpu") ? amount(limits.at("cpu"), findings, "", "") : undefined;
  findings.require(
    memory === undefined || memory <= values.mostMemoryMi * MEBIBYTE,
    limits.at("memory"),
    `the container may take ${limits.at("memory").shown()} of memory`,
    `give it ${String(values.mostMemoryMi)}Mi at most`,
  );
  for (const [key, least, most] of [["memory", needed, memory] as const, ["cpu", cpu, limit] as const]) {
    findings.require(
      least === undefined || most === undefined || least <= most,
      requests.at(key),
      `the container needs more ${key} than it may take, and would never run`,
      `raise limits.${key}, or lower requests.${key}`,
    );
  }
}

function judgeVolume(volume: Field, { mostVolumeMi }: Values<Bound>, findings: Findings): void {
  const size = amount(
    volume.at("sizeLimit"),
    findings,
    `the volume may fill the node's ${volume.at("medium").is("Memory") ? "memory" : "disk"}`,
    "set sizeLimit",
  );
  findings.require(
    size === undefined || size <= mostVolumeMi * MEBIBYTE,
    volume.at("sizeLimit"),
    `the volume may hold ${volume.at("sizeLimit").shown()}`,
    `give it ${String(mostVolumeMi)}Mi at most`,
  );
}

/** An amount above nothing; undefined, with a finding, where there is none. */
function amount(field: Field, findings: Findings, problem: string, mend: string): number | undefined {
  if (field.isAbsent) {
    findings.add(field, problem, mend);
    return undefined;
  }
  const parsed = parseQuantity(field.isText || field.isUnknown ? (field.text() ?? "") : String(field.number()));
  if (parsed !== undefined && parsed > 0) return parsed;
  findings.add(field, `${field.shown()} is no amount`, "write it as 50m or 96Mi");
  return undefined;
}
