import { isIPv4 } from "node:net";
import type { Ceiling } from "../ceiling";
import type { Field } from "../judgement/field";
import type { Findings } from "../judgement/finding";
import { repositoryOf } from "../kubernetes/image";

/** What the gate tries: a port of the node resolver that every pod may reach, and one that none may. */
const TRIAL: Readonly<Record<string, { readonly form: { test(text: string): boolean }; readonly is: string }>> = {
  GATE_ADDRESS: { form: { test: isIPv4 }, is: "the node resolver's address" },
  GATE_OPEN_PORT: { form: /^53$/, is: "port 53 of the node resolver" },
  GATE_CANARY_PORT: {
    form: /^8181$/,
    is: "port 8181 of the node resolver, which lets everybody in and to which nobody is let out",
  },
  GATE_TIMEOUT_SECONDS: { form: /^[1-9]\d{0,3}$/, is: "seconds" },
};

/** No application before its NetworkPolicy is enforced: enforcers may leave a new pod open for a moment. */
export function checkGate(
  gate: Field | undefined,
  spec: Field,
  ceiling: Pick<Ceiling, "startGateImages">,
  findings: Findings,
): void {
  const mend = "put the start gate second, right behind the sidecar, as MeshService does";
  if (gate === undefined) {
    findings.add(spec.at("initContainers"), "there is no start gate behind the sidecar", mend);
    return;
  }
  const image = gate.at("image");
  // The gate's own image may be known only once it is built; the stack rule then proves where it comes from.
  const isGate = image.isUnknown
    ? gate.at("name").is("start-gate")
    : ceiling.startGateImages.includes(repositoryOf(gate) ?? "");
  findings.require(isGate, gate, `the second init container (image ${image.shown()}) is not a start gate`, mend);
  findings.require(
    gate.at("restartPolicy").isAbsent,
    gate.at("restartPolicy"),
    "the start gate does not hold the pod back",
    "leave its restartPolicy out: only then does the application wait for it",
  );
  for (const key of ["command", "args", "envFrom"]) {
    findings.require(
      gate.at(key).isEmpty,
      gate.at(key),
      "the start gate runs something else than its image",
      "leave it out",
    );
  }
  checkTrial(gate, findings);
}

/** A gate that tries what is always refused opens before anything is enforced, and so does one that is told to run something else. */
function checkTrial(gate: Field, findings: Findings): void {
  const variables = new Map(
    gate
      .at("env")
      .items()
      .map((variable) => [variable.at("name").text() ?? "", variable]),
  );
  for (const [name, variable] of variables) {
    findings.require(
      Object.hasOwn(TRIAL, name) && variable.keys().every((key) => key === "name" || key === "value"),
      variable,
      `the start gate is given ${name}, which is none of its settings or comes from elsewhere`,
      `leave ${Object.keys(TRIAL).join(", ")}, each as a plain value`,
    );
  }
  findings.require(
    gate.at("env").items().length === variables.size,
    gate.at("env"),
    "a setting of the start gate stands there twice",
    "leave one",
  );
  for (const [name, { form, is }] of Object.entries(TRIAL)) {
    const value = variables.get(name)?.at("value");
    const isLeftOut = value === undefined || value.isAbsent;
    if (isLeftOut && name === "GATE_TIMEOUT_SECONDS") continue;
    findings.require(
      !isLeftOut && form.test(value.text() ?? ""),
      value ?? gate.at("env"),
      `the start gate's ${name} is ${value?.shown() ?? "missing"}, so it would open though nothing is enforced, or never`,
      `give it ${is}`,
    );
  }
}

/** The address that the start gate of a pod tries; undefined where it has none. */
export function addressTried(spec: Field): Field | undefined {
  const variables = spec.at("initContainers").items()[1]?.at("env").items() ?? [];
  return variables.find((variable) => variable.at("name").is("GATE_ADDRESS"))?.at("value");
}
