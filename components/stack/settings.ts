import { z } from "zod";
import { issuingGenerations, rootGenerations } from "../identity/generations";
import { revokedCertificates } from "../identity/revocations";
import { REPAIRED_CLASSES } from "../../mesh/declarations";
import { datacenterStacks } from "../datacenters/stacks";
import { PARTS, partStacks } from "../parts/part";

/** One thing wrong with the stack's configuration. */
export interface SettingProblem {
  /** The key, as it stands in `Pulumi.<stack>.yaml`. */
  readonly key: string;
  readonly message: string;
}

/** The stack's configuration can't be used. Carries every problem at once. */
export class SettingsError extends Error {
  constructor(readonly problems: readonly SettingProblem[]) {
    super(
      `The stack's configuration has ${problems.length} problem${problems.length === 1 ? "" : "s"}:\n` +
        problems.map((problem) => `  ${problem.key}: ${problem.message}`).join("\n") +
        "\nMend them in Pulumi.<stack>.yaml or by `pulumi config set`; docs/configuration.md describes every key.",
    );
    this.name = "SettingsError";
  }
}

const ipv4 = z.ipv4("is not an IPv4 address");
const port = z.coerce
  .number("is not a number")
  .int("is not a whole number")
  .min(1, "is below 1")
  .max(65535, "is above 65535");
const flag = z.enum(["true", "false"], "is neither `true` nor `false`").transform((value) => value === "true");

const quorum = z.coerce
  .number("is not a number")
  .int("is not a whole number")
  .min(1, "is below 1")
  .max(7, "is above 7")
  .refine((count) => count % 2 === 1, "is even: a quorum needs an odd number");
/** Port on 127.0.0.1 at which the Consul provider finds Consul, where the stack says no other. */
export const CONSUL_FORWARD_PORT = 18501;

const BACKENDS = ["consul", "etcd"] as const;

const repairedClasses = z.string().transform((list, context) =>
  (list === "none" ? [] : list.split(",")).flatMap((item) => {
    const known = REPAIRED_CLASSES.find((name) => name === item);
    if (known !== undefined) return [known];
    context.addIssue({
      code: "custom",
      message: `holds ${JSON.stringify(item)}, which is none of ${REPAIRED_CLASSES.join(", ")}; to repair nothing, say none`,
    });
    return [];
  }),
);

const settingsSchema = z.strictObject({
  /** What of the mesh this stack deploys: `all`, or one zone of it, where each zone has a stack of its own (docs/parts.md). */
  part: z.enum(PARTS, `is no part; parts are ${PARTS.join(", ")}`).default("all"),
  /** Where the stacks of the other parts are, as JSON. Unset: they have this stack's name, with the part in it exchanged. */
  partStacks: partStacks.optional(),
  /** Which of the document's datacenters this stack deploys; needed where it has some (docs/datacenters.md). */
  datacenter: z
    .string()
    .regex(/^[a-z]([a-z0-9-]*[a-z0-9])?$/, "is no datacenter's name")
    .optional(),
  /** Where the stacks of the other datacenters are, as JSON: each a stack's name, a file with its output `datacenter`, or null. */
  datacenterStacks: datacenterStacks.optional(),
  /** Path of the mesh document, relative to the project. */
  document: z.string().min(1, "is empty").default("mesh.yaml"),
  /** Path of a kubeconfig, relative to the project. Unset: the ambient one (`KUBECONFIG`, `~/.kube/config`), as with any Pulumi program. */
  kubeconfig: z.string().min(1, "is empty").optional(),
  /** Context in the kubeconfig; unset: its current context. */
  context: z.string().min(1, "is empty").optional(),
  /** Docker engine that builds the mesh's own images (`unix://` path relative to the project, or `tcp://`). Unset: the ambient one. */
  dockerHost: z
    .string()
    .regex(/^(unix|tcp|ssh|npipe):\/\//, "does not begin with unix://, tcp://, ssh:// or npipe://")
    .optional(),
  /** Registry (and path) to which the mesh's own images are pushed and from which the cluster pulls them. */
  imageRegistry: z
    .string()
    .regex(/^[a-z0-9.-]+(:\d+)?(\/[a-z0-9._-]+)*$/, "is not a registry name such as registry.example.org/team")
    .default("registry.lucid.internal"),
  /** Image repositories, with commas between, that services of other stacks may run besides those that the document names. */
  joinedImages: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9._:/-]*(,[a-z0-9][a-z0-9._:/-]*)*$/,
      "is not a list of repositories such as registry.example.org/billing,registry.example.org/ledger",
    )
    .transform((list) => list.split(","))
    .optional(),
  /** CIDR of the Kubernetes API's endpoints, as pods reach them. */
  apiServerCidr: z
    .cidrv4("is not a CIDR such as 10.0.0.1/32")
    .refine((cidr) => Number(cidr.split("/")[1]) >= 24, "is wider than /24"),
  apiServerPort: port.default(6443),
  /** ClusterIP of the node resolver: a free address of the cluster's service range. */
  nodeResolverIp: ipv4,
  /** `DISCOVERY_BACKEND`: what instances are registered in and names are answered from. */
  discoveryBackend: z.enum(BACKENDS, "is neither consul nor etcd").default("consul"),
  /** ClusterIP of Consul's API for the controller: a free address of the cluster's service range. Needed where Consul is the backend. */
  consulIp: ipv4.optional(),
  /** Consul servers; 1 or an odd number up to 7. */
  consulServers: quorum.default(3),
  /** The same of etcd, where it is the backend. */
  etcdIp: ipv4.optional(),
  etcdServers: quorum.default(3),
  /** Minutes between two snapshots of Consul's state. */
  snapshotIntervalMinutes: z.coerce
    .number("is not a number")
    .int("is not a whole number")
    .min(5, "is below 5")
    .max(1440, "is above 1440, a day")
    .default(60),
  /** Snapshots that each Consul server keeps. */
  snapshotsKept: z.coerce
    .number("is not a number")
    .int("is not a whole number")
    .min(2, "is below 2")
    .max(500, "is above 500")
    .default(24),
  /** Port on 127.0.0.1 at which this program offers Consul's API to the Consul provider, forwarded through the Kubernetes API. */
  consulForwardPort: port.default(CONSUL_FORWARD_PORT),
  /** Key of certificates: `ECDSA` (P-256) or `RSA` (2048). */
  certificateAlgorithm: z.enum(["ECDSA", "RSA"], "is neither ECDSA nor RSA").default("ECDSA"),
  /** `CERT_VALIDITY_DAYS`: life of a leaf certificate. */
  certValidityDays: z.coerce
    .number("is not a number")
    .int("is not a whole number")
    .min(1, "is below 1")
    .max(90, "is above 90")
    .default(90),
  /** `AUTO_ROTATE_CERTS`: issuers in the cluster make the certificates of services and make them anew, rather than `pulumi up`. */
  autoRotateCerts: flag.default(false),
  /** Life of a certificate that an issuer makes, in hours; `certValidityDays` is the most it may be. Where `autoRotateCerts` is off it means nothing. */
  leafValidityHours: z.coerce
    .number("is not a number")
    .int("is not a whole number")
    .min(1, "is below 1")
    .max(2160, "is above 2160, ninety days")
    .default(24),
  /** Longest time between two runs of `pulumi up`, in hours: certificates are made anew by nothing else, and must outlive it. Four weeks. */
  updateIntervalHours: z.coerce
    .number("is not a number")
    .int("is not a whole number")
    .min(1, "is below 1")
    .max(8760, "is above 8760, a year")
    .default(672),
  /** Generations of each zone's root, as JSON: those that are trusted, and the one under which certificates are issued. Unset: the first. */
  rootGenerations: rootGenerations.optional(),
  /** Generations of each zone's issuing authority under its roots, as JSON: those that are kept, and the one that issues. Unset: the first. */
  issuingGenerations: issuingGenerations.optional(),
  /** Certificates that nobody believes any more, as a JSON list. Unset: none. */
  revokedCertificates: revokedCertificates.optional(),
  /** `SERVICE_REGISTRY_TTL`, in seconds: entries not refreshed within it are removed. */
  serviceRegistryTtl: z.coerce
    .number("is not a number")
    .int("is not a whole number")
    .min(15, "is below 15")
    .max(3600, "is above 3600")
    .default(60),
  /** What the mesh controller puts right where it is not as declared, with commas between, or `none`; of all else it tells. */
  driftRepairs: repairedClasses.default([...REPAIRED_CLASSES]),
  /** `TRACING_ENABLED`: sidecars send spans to Jaeger. */
  tracingEnabled: flag.default(true),
});

/** Every key that a stack's configuration can have, without the project's prefix. */
export const SETTING_KEYS: readonly string[] = Object.keys(settingsSchema.shape);

/** The stack's configuration, parsed. See docs/configuration.md for the meaning of each key. */
export type Settings = Omit<Parsed, "discoveryBackend"> & DiscoverySettings;

type Parsed = z.infer<typeof settingsSchema>;

/** The address of the backend's API is there for the backend that is chosen. */
type DiscoverySettings =
  | { readonly discoveryBackend: "consul"; readonly consulIp: string }
  | { readonly discoveryBackend: "etcd"; readonly etcdIp: string };

/**
 * Parses the stack's configuration.
 *
 * @param raw values of the project's namespace (`lucid-mesh:`), without the prefix.
 * @throws SettingsError naming every wrong, missing and unknown key at once.
 */
export function parseSettings(raw: Readonly<Record<string, string>>): Settings {
  const result = settingsSchema.safeParse(raw);
  const problems: SettingProblem[] = [];
  if (!result.success) {
    for (const issue of result.error.issues) {
      const [first, ...inside] = issue.path.map(String);
      if (issue.code === "unrecognized_keys" && first === undefined) {
        const known = SETTING_KEYS.join(", ");
        for (const key of issue.keys)
          problems.push({ key, message: `is not a key of this project; its keys are ${known}` });
      } else {
        const key = first ?? "";
        const place = inside.length === 0 ? "" : `${inside.join(".")} `;
        const message =
          issue.code === "unrecognized_keys" ? `has an unknown key: ${issue.keys.join(", ")}` : issue.message;
        problems.push({ key, message: key in raw ? `${place}${message}` : "is missing" });
      }
    }
  }
  problems.push(
    ...addressProblems(raw),
    ...datacenterProblems(raw),
    ...(result.success ? lifeProblems(result.data) : []),
  );
  if (problems.length > 0 || !result.success) throw new SettingsError(problems);
  return result.data as Settings;
}

/** No certificate lives longer than the longest. */
function lifeProblems({ autoRotateCerts, leafValidityHours, certValidityDays }: Parsed): SettingProblem[] {
  if (!autoRotateCerts || leafValidityHours <= certValidityDays * 24) return [];
  const message = `is ${String(leafValidityHours)} hours, and no certificate may live longer than ${String(certValidityDays)} days (certValidityDays)`;
  return [{ key: "leafValidityHours", message }];
}

/** What a datacenter's stack can't have beside it. */
function datacenterProblems(raw: Readonly<Record<string, string>>): SettingProblem[] {
  if (raw.datacenter === undefined) {
    if (raw.datacenterStacks === undefined) return [];
    return [
      { key: "datacenterStacks", message: "says nothing without lucid-mesh:datacenter; set that, or take it out" },
    ];
  }
  const problems: SettingProblem[] = [];
  if (raw.part !== undefined && raw.part !== "all")
    problems.push({
      key: "part",
      message: "is a part of the mesh, and a datacenter is deployed by one stack; take it out",
    });
  if (raw.discoveryBackend === "etcd")
    problems.push({ key: "discoveryBackend", message: "is etcd, which knows no datacenters; take consul" });
  return problems;
}

/** The chosen backend has an address, of its own. */
function addressProblems(raw: Readonly<Record<string, string>>): SettingProblem[] {
  const backend = BACKENDS.find((name) => name === (raw.discoveryBackend ?? "consul"));
  if (backend === undefined) return [];
  const key = `${backend}Ip`;
  const address = raw[key];
  if (address === undefined) return [{ key, message: "is missing" }];
  return address === raw.nodeResolverIp
    ? [{ key, message: `is the same address as nodeResolverIp (${address}); take another` }]
    : [];
}
