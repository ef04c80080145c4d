import { DOMAIN } from "../names";
import { LABELS, PART_OF } from "../wire";
import { MESH_SERVICE } from "./names";
import { meshServiceSpec } from "./spec";
import { meshServiceStatus } from "./status";
import { structuralSchema } from "./structural";

const { group, version, kind, listKind, plural, singular, shortNames } = MESH_SERVICE;

const statusOf = (condition: string) => `.status.conditions[?(@.type=="${condition}")].status`;

/** Columns of `kubectl get meshservices`; those of priority 1 stand in `-o wide`. */
const COLUMNS = [
  { name: "Plane", type: "string", jsonPath: ".spec.zone", description: "Plane, or zone of the mesh's own parts." },
  { name: "Ready", type: "string", jsonPath: statusOf("Ready"), description: "Whether it runs as declared." },
  { name: "Instances", type: "integer", jsonPath: ".status.instances.ready", description: "Pods that are ready." },
  {
    name: "Certificate-Expiry",
    // A column of type date tells how long ago something was; what is to come it shows as <invalid>.
    type: "string",
    jsonPath: ".status.certificate.notAfter",
    description: "When its certificate runs out.",
  },
  {
    name: "Drift",
    type: "string",
    jsonPath: statusOf("Drifted"),
    description: "Whether what runs is not as declared.",
  },
  { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp", description: "Since when it is declared." },
  {
    name: "Declared",
    type: "integer",
    jsonPath: ".spec.workload.replicas",
    description: "Pods that there are to be.",
    priority: 1,
  },
  {
    name: "Registered",
    type: "integer",
    jsonPath: ".status.instances.registered",
    description: "Pods that callers find.",
    priority: 1,
  },
  { name: "Identity", type: "string", jsonPath: ".spec.identity", description: "Its SPIFFE ID.", priority: 1 },
];

/** The CustomResourceDefinition of `MeshService`: the same for every mesh, but for the datacenter that identities bear where there are several. */
export function meshServiceDefinition(datacenter?: string) {
  return {
    apiVersion: "apiextensions.k8s.io/v1" as const,
    kind: "CustomResourceDefinition" as const,
    metadata: { name: MESH_SERVICE.definition, labels: { [LABELS.partOf]: PART_OF } },
    spec: {
      group,
      scope: "Namespaced",
      names: { kind, listKind, plural, singular, shortNames: [...shortNames], categories: ["lucid"] },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: schema(datacenter === undefined ? DOMAIN : `${datacenter}.${DOMAIN}`) },
          subresources: { status: {} },
          additionalPrinterColumns: COLUMNS,
        },
      ],
    },
  };
}

/** @param domain what follows a zone in its trust domain */
function schema(domain: string) {
  return {
    type: "object",
    description: "A service of the Lucid mesh: what its document declares, and what the mesh controller finds.",
    required: ["spec"],
    properties: { spec: structuralSchema(meshServiceSpec), status: structuralSchema(meshServiceStatus) },
    "x-kubernetes-validations": [
      {
        rule: `self.spec.hostname == self.metadata.name + '.${DOMAIN}'`,
        message: `hostname must be <name>.${DOMAIN}`,
        fieldPath: ".spec.hostname",
      },
      {
        rule: `self.spec.identity == 'spiffe://' + self.spec.zone + '.${domain}/ns/lucid-' + self.spec.zone + '/sa/' + self.metadata.name`,
        message: `identity must be spiffe://<zone>.${domain}/ns/lucid-<zone>/sa/<name>`,
        fieldPath: ".spec.identity",
      },
      {
        rule: "has(self.spec.workload.replicas) == (self.spec.workload.kind != 'job')",
        message: "every workload but a job says how many pods there are to be, and a job does not",
        fieldPath: ".spec.workload.replicas",
      },
      {
        rule: "has(self.spec.workload.owner) == (self.spec.workload.kind == 'joined')",
        message: "a joined workload says who brings its pods, and no other does",
        fieldPath: ".spec.workload.owner",
      },
      {
        rule: "self.spec.calls.all(call, call.zone == self.spec.zone || has(call.reason))",
        message: "a call that crosses zones says its reason",
        fieldPath: ".spec.calls",
      },
    ],
  };
}
