/** What in a pod template a sidecar can't live with. Values that are known only later are left to the policy pack. */
import * as pulumi from "@pulumi/pulumi";
import { reservedFor } from "../../mesh";
import { DRAIN_SECONDS } from "../../mesh/drain";
import { isSidecarUid, SIDECAR_UIDS } from "../../mesh/users";
import { LABELS, SIDECAR_CONTAINER } from "../../mesh/wire";
import type { Container, PodTemplate } from "./pod-template";

export const START_GATE_CONTAINER = "start-gate";
const RESERVED = `${String(SIDECAR_UIDS.first)}-${String(SIDECAR_UIDS.first + SIDECAR_UIDS.count - 1)}`;

/** Names of the volumes that a sidecar brings. */
export const SIDECAR_VOLUMES = {
  config: "sidecar-config",
  certificate: "sidecar-certificate",
  token: "sidecar-token",
  run: "sidecar-run",
} as const;

/** One thing that has to be changed in a template. */
export interface Conflict {
  /** Place in the template: `spec.containers[0].lifecycle.preStop`. */
  readonly path: string;
  readonly problem: string;
  readonly mend: string;
}

interface Subject {
  readonly service: string;
  readonly zone: string;
}

interface Choices {
  readonly completes?: boolean;
  readonly drainThemselves?: readonly string[];
}

/** The message of an error that names every conflict; undefined where there is none. */
export function describeConflicts(template: PodTemplate, subject: Subject, choices: Choices = {}): string | undefined {
  return describe(
    conflicts(template, subject, choices),
    `the pod template of ${subject.service} can't be given a sidecar`,
  );
}

/** A message that names every conflict under a heading; undefined where there is none. */
export function describe(found: readonly Conflict[], heading: string): string | undefined {
  if (found.length === 0) return undefined;
  const count = found.length === 1 ? "1 problem" : `${String(found.length)} problems`;
  const lines = found.map(({ path, problem, mend }) => `  ${path}: ${problem}; ${mend}`);
  return `${heading}: ${count}\n${lines.join("\n")}`;
}

/** Everything in a template that conflicts with a sidecar, in the order of the template. */
export function conflicts(template: PodTemplate, subject: Subject, choices: Choices = {}): Conflict[] {
  return [...ofLabels(template, subject), ...ofPod(template, subject), ...ofContainers(template, choices)];
}

function ofLabels({ metadata }: PodTemplate, { service, zone }: Subject): Conflict[] {
  const own: Readonly<Record<string, string>> = {
    [LABELS.name]: service,
    [LABELS.zone]: zone,
    [LABELS.meshed]: "true",
  };
  return Object.entries(metadata?.labels ?? {}).flatMap(([label, value]) => {
    const expected = own[label];
    return expected === undefined || expected === value
      ? []
      : [
          {
            path: `metadata.labels["${label}"]`,
            problem: `the label says '${value}', and the mesh knows the pod by it as '${expected}'`,
            mend: "leave it out: the sidecar brings it",
          },
        ];
  });
}

/** Settings of the pod that would take the sidecar's isolation away, with the values that are harmless. */
const POD_SETTINGS: readonly [key: string, harmless: readonly unknown[], problem: string, mend: string][] = [
  ["hostNetwork", [false], "the pod would be in the node's network, past its NetworkPolicy", "leave it out"],
  ["hostPID", [false], "the pod would see the node's processes", "leave it out"],
  ["hostIPC", [false], "the pod would share the node's memory", "leave it out"],
  [
    "shareProcessNamespace",
    [false],
    "the application could read the sidecar's memory, its key among it",
    "leave it out",
  ],
  ["dnsPolicy", ["None"], "the pod would resolve names past its sidecar", "leave it out: the sidecar sets it"],
  ["dnsConfig", [], "the pod would resolve names past its sidecar", "leave it out: the sidecar sets it"],
  [
    "hostAliases",
    [],
    "Envoy reads /etc/hosts too, and would call itself",
    "leave it out; the sidecar answers the names of declared calls",
  ],
];

function ofPod({ spec }: PodTemplate, { service }: Subject): Conflict[] {
  const settings = POD_SETTINGS.flatMap(([key, harmless, problem, mend]) => {
    const value = known(spec, key);
    return value === undefined || harmless.includes(value) ? [] : [{ path: `spec.${key}`, problem, mend }];
  });
  const account = known(spec, "serviceAccountName");
  const accounts =
    account === undefined || account === service
      ? []
      : [
          {
            path: "spec.serviceAccountName",
            problem: `the pod would run as '${text(account)}', whose identity is not ${service}'s`,
            mend: `write '${service}'`,
          },
        ];
  const taken: readonly string[] = Object.values(SIDECAR_VOLUMES);
  const volumes = (spec.volumes ?? []).flatMap((volume, index) => {
    const name = known(volume, "name");
    const path = `spec.volumes[${String(index)}]`;
    return [
      ...(typeof name === "string" && taken.includes(name)
        ? [{ path: `${path}.name`, problem: `'${name}' is a volume of the sidecar`, mend: "rename it" }]
        : []),
      ...(known(volume, "secret", "secretName") === `${service}-tls`
        ? [
            {
              path: `${path}.secret`,
              problem: "the volume holds the private key, which is the sidecar's alone",
              mend: "take it out: what needs TLS goes through the sidecar",
            },
          ]
        : []),
    ];
  });
  return [...settings, ...accounts, ...ofUsers(spec, "spec"), ...volumes];
}

function ofContainers({ spec }: PodTemplate, choices: Choices): Conflict[] {
  const at = (list: string, containers: readonly Container[]) =>
    containers.map((container, index) => ({ container, path: `spec.${list}[${String(index)}]` }));
  const [application, ...others] = at("containers", spec.containers);
  const inits = at("initContainers", spec.initContainers ?? []);
  return [
    ...inits.flatMap(({ container, path }) => ofContainer(container, path)),
    ...(application === undefined
      ? []
      : [
          ...ofContainer(application.container, application.path),
          ...(choices.completes === true ? [] : ofProbes(application.container, application.path)),
        ]),
    ...others.flatMap(({ container, path }) => ofContainer(container, path)),
    ...(choices.completes === true
      ? []
      : at("containers", spec.containers).flatMap(({ container, path }) => ofLifecycle(container, path, choices))),
  ];
}

function ofContainer(container: Container, path: string): Conflict[] {
  const { name } = container;
  const ports = list(container.ports).flatMap((port, index) => {
    const at = `${path}.ports[${String(index)}]`;
    const number = known(port, "containerPort");
    const use = typeof number === "number" ? reservedFor(number) : undefined;
    const host = known(port, "hostPort");
    return [
      ...(use === undefined
        ? []
        : [
            {
              path: `${at}.containerPort`,
              problem: `port ${String(number)} is kept by the sidecar for ${use}`,
              mend: "have the application listen on another",
            },
          ]),
      ...(host === undefined
        ? []
        : [
            {
              path: `${at}.hostPort`,
              problem: "the node's own address would lead past the sidecar",
              mend: "leave it out: calls come by the mesh",
            },
          ]),
    ];
  });
  const named =
    name === SIDECAR_CONTAINER || name === START_GATE_CONTAINER
      ? [{ path: `${path}.name`, problem: `'${name}' is a container of the sidecar`, mend: "rename it" }]
      : [];
  return [...named, ...ports, ...ofUsers(container, path)];
}

/** Whoever shares the sidecar's user could bind its ports (SO_REUSEPORT) or reach its admin socket; its group, the socket's folder. */
function ofUsers(holder: unknown, path: string): Conflict[] {
  return ["runAsUser", "runAsGroup", "fsGroup", "supplementalGroups"].flatMap((key) => {
    const value = known(holder, "securityContext", key);
    const taken = Array.isArray(value) ? value.some(isSidecarUid) : isSidecarUid(value);
    return taken
      ? [
          {
            path: `${path}.securityContext.${key}`,
            problem: `${JSON.stringify(value)} is reserved for sidecars (${RESERVED})`,
            mend: "take another number",
          },
        ]
      : [];
  });
}

/** Readiness is asked through the sidecar, so that a pod is ready when it can be called. */
function ofProbes(container: Container, path: string): Conflict[] {
  return (["startupProbe", "readinessProbe"] as const).flatMap((key) =>
    container[key] === undefined
      ? []
      : [
          {
            path: `${path}.${key}`,
            problem: "the application's readiness is asked through its sidecar",
            mend: "leave it out, and declare `health` in the document",
          },
        ],
  );
}

/** A hook is one action: a sleep can be lengthened, any other can't be joined with one. */
function ofLifecycle(container: Container, path: string, { drainThemselves = [] }: Choices): Conflict[] {
  const hook = container.lifecycle === undefined ? undefined : known(container.lifecycle, "preStop");
  if (
    hook === undefined ||
    drainOf(container) !== undefined ||
    drainThemselves.some((name) => name === container.name)
  ) {
    return [];
  }
  return [
    {
      path: `${path}.lifecycle.preStop`,
      problem: `the hook does not keep the container answering for ${String(DRAIN_SECONDS)} s, until its callers have forgotten it`,
      mend: `have it do so and name the container in 'drainThemselves', or use 'sleep'`,
    },
  ];
}

/** The container's own `preStop.sleep`, in seconds; undefined where it has none. */
export function drainOf(container: Container): number | undefined {
  const seconds = known(container, "lifecycle", "preStop", "sleep", "seconds");
  return typeof seconds === "number" ? seconds : undefined;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The plain value at a path; undefined where it is missing, or known only when the program runs. */
export function known(value: unknown, ...path: readonly string[]): unknown {
  let at: unknown = value;
  for (const key of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) return undefined;
    at = (at as Record<string, unknown>)[key];
  }
  return at === null || pulumi.Output.isInstance(at) || at instanceof Promise ? undefined : at;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
