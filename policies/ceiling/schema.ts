import { z } from "zod";
import type { CeilingKey } from "./lucid";
import { LINK_LEAVES, OUTSIDE_LEAVES } from "./types";
import type { Finding } from "../judgement/finding";

/** An object whose other keys are refused by naming those that it has. */
function closed<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: (issue) => (issue.code === "unrecognized_keys" ? Object.keys(shape).join(", ") : undefined),
  });
}

const text = z.string().trim().min(1, "the text is empty");
const texts = z.array(text);
const reasoned = z.record(text, text);
const externals = z.record(
  text,
  z.union(
    [
      closed({ namespace: text, labels: reasoned }),
      closed({ cidrs: texts, except: texts.default([]), widestPrefix: z.int().min(1).max(32) }),
    ],
    { error: "an external is {namespace, labels} or {cidrs, except, widestPrefix}" },
  ),
);
const edge = closed({
  from: text,
  to: text,
  ports: texts.min(1, "no port is named"),
  sides: z.array(z.enum(["ingress", "egress"])).optional(),
  reason: text,
});
const leave = closed({ reason: text, owner: text, until: text });
const outside = closed({
  addresses: texts.min(1, "no address is named"),
  ports: texts.min(1, "no port is named"),
  names: texts.default([]),
  reason: text,
  leave: z.partialRecord(z.enum(OUTSIDE_LEAVES), leave).default({}),
});
const link = closed({
  calls: texts.default([]),
  addresses: texts.default([]),
  ports: texts.default([]),
  exports: texts.default([]),
  sources: texts.default([]),
  tokens: texts.default([]),
  reason: text,
  leave: z.partialRecord(z.enum(LINK_LEAVES), leave).default({}),
});
const datacenter = closed({ name: text, gateway: text, nodePort: text.optional() });
const exception = closed({
  rule: text,
  object: text,
  finding: text,
  path: z.string().optional(),
  reason: text,
  owner: text,
  until: text,
});

/** The keys of the ceiling that hold many things, and so can be added to. */
const MANY = {
  members: z.record(text, texts),
  infrastructure: reasoned,
  joined: reasoned,
  externals,
  edges: z.array(edge),
  outside: z.record(text, outside),
  links: z.record(text, link),
  authenticators: texts,
  torProxies: texts,
  apiClients: reasoned,
  powers: reasoned,
  snapshotTakers: reasoned,
  aclReaders: reasoned,
  mtlsOptional: reasoned,
  images: texts,
  startGateImages: texts,
  kinds: reasoned,
  packages: reasoned,
  exceptions: z.array(exception),
} satisfies Partial<Record<CeilingKey, z.ZodType>>;

const ceiling = closed({
  ...closed({ ...MANY, datacenter, sidecarImage: text }).partial().shape,
  /** Added to what stands there, where the other keys stand in its place. */
  also: closed(closed(MANY).partial().shape).optional(),
});

/** What the pack's configuration says of the ceiling. */
export type WrittenCeiling = z.output<typeof ceiling>;
export type ManyKey = keyof typeof MANY;

/** Reads what the configuration says of the ceiling. All that is wrong with its form is told at once, with its place and mend. */
export function parseCeiling(
  written: unknown,
): { readonly written: WrittenCeiling } | { readonly problems: readonly Finding[] } {
  const result = ceiling.safeParse(written);
  if (result.success) return { written: result.data };
  return { problems: result.error.issues.map(problemOf) };
}

function problemOf(issue: z.core.$ZodIssue): Finding {
  const path = issue.path
    .map((key) =>
      typeof key === "number"
        ? `[${String(key)}]`
        : /^[\w-]+$/.test(String(key))
          ? `.${String(key)}`
          : `["${String(key)}"]`,
    )
    .join("")
    .replace(/^\./, "");
  if (issue.code === "unrecognized_keys") {
    return {
      path,
      problem: `the key ${issue.keys.join(", ")} is none of the ceiling's`,
      mend: `take one of ${issue.message}`,
    };
  }
  const missing = issue.code === "invalid_type" && issue.message.endsWith("received undefined");
  return {
    path,
    problem: missing ? "it is missing" : issue.message.replace(/^Invalid input: /, ""),
    mend: "write it as docs/policies/ceiling.md says",
  };
}

/** Schemas of the ceiling's keys for those who configure packs by a form: what each holds. The pack itself reads them more strictly. */
export const CEILING_FORM: Readonly<Record<CeilingKey | "also", FormField>> = {
  members: { type: "object", description: "Zone to the names of its members." },
  infrastructure: { type: "object", description: "`<zone>/<service>` of members without a sidecar, to the reason." },
  joined: {
    type: "object",
    description: "`<zone>/<service>` of members whose pods another stack brings, to the reason.",
  },
  externals: {
    type: "object",
    description: "Parties outside the mesh: `{namespace, labels}` or `{cidrs, except, widestPrefix}`.",
  },
  edges: { type: "array", description: "Allowed edges: `{from, to, ports, sides?, reason}`." },
  outside: {
    type: "object",
    description:
      "`<zone>/<service>` of members that stand for services outside the cluster: `{addresses, ports, names, reason, leave?}`.",
  },
  datacenter: {
    type: "object",
    description: "The datacenter that is judged, where there are several: `{name, gateway, nodePort?}`.",
  },
  links: {
    type: "object",
    description:
      "Datacenters that may be joined with it, by name: `{calls, addresses, ports, exports, sources, tokens, reason, leave?}`.",
  },
  authenticators: { type: "array", description: "`<zone>/<service>` of those who may be asked about callers." },
  torProxies: {
    type: "array",
    description: "`<zone>/<service>` of those who may reach addresses outside the cluster.",
  },
  apiClients: {
    type: "object",
    description: "`<zone>/<service>` of those who may ask the Kubernetes API, to the reason.",
  },
  powers: { type: "object", description: "`<verb> <group>/<resource>` that a role may have, to the reason." },
  snapshotTakers: {
    type: "object",
    description: "`<zone>/<service>` whose pods may have a token that writes Consul's ACLs, to the reason.",
  },
  aclReaders: {
    type: "object",
    description: "`<zone>/<service>` whose pods may have a token that reads Consul's ACLs, to the reason.",
  },
  mtlsOptional: { type: "object", description: "`<zone>/<service>` that may run without mutual TLS, to the reason." },
  images: { type: "array", description: "Image repositories, registry first." },
  sidecarImage: { type: "string", description: "Repository of the sidecar's image." },
  startGateImages: { type: "array", description: "Repositories of start gates." },
  kinds: { type: "object", description: "`<group>/<kind>` of Kubernetes objects, to the reason." },
  packages: { type: "object", description: "Packages other than Kubernetes, to the reason." },
  exceptions: {
    type: "array",
    description: "Findings let be: `{rule, object, finding, path?, reason, owner, until}`.",
  },
  also: { type: "object", description: "The same keys, added to what stands there instead of replacing it." },
};

interface FormField {
  readonly type: "object" | "array" | "string";
  readonly description: string;
}
