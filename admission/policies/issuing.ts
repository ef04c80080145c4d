/** A zone's certificates are made by its issuer: for whom the document declares, in one form, and by nobody else. */
import { CERTIFICATE_RECORD, ISSUERS, ISSUING } from "../../mesh/issuing";
import { MESH_SERVICE } from "../../mesh/custom-resource";
import { CERTIFICATE_END, LABELS, PART_OF } from "../../mesh/wire";
import type { AdmissionData } from "../data";
import { hasEntry, literal, shards } from "../literal";
import { BY_A_SERVICE, BY_ITS_ISSUER, inZones, NO_DRY_RUN, POD_MAKERS, resources, whereChanged } from "../match";
import type { AdmissionPolicy, NamedExpression, Validation } from "../model";
import { CONTAINER_VARIABLES, POD_CONDITIONS, POD_VARIABLES } from "../pods";

const CERTIFICATE_SUFFIX = "-tls";
const LONGEST_HOURS = 90 * 24;

const ZONE: NamedExpression = { name: "zone", expression: `request.namespace.substring(${"lucid-".length})` };

/** CEL: whether the zone's issuer makes the certificate of a service. */
const isIssued = (service: string) =>
  hasEntry("issued", `variables.zone + "/" + ${service}`, '"issuer-" + variables.zone');

/** What an issuer writes bears its service's labels, and ends with its declaration. */
function ownMetadata(service: string): string {
  const labels = [
    [LABELS.name, service],
    [LABELS.partOf, `"${PART_OF}"`],
    [LABELS.zone, "variables.zone"],
    [LABELS.managedBy, `"${ISSUING.manager}"`],
  ] as const;
  const found = "object.metadata.?labels.orValue({})";
  const owners = "object.metadata.?ownerReferences.orValue([])";
  return (
    `size(${found}) == ${labels.length} && ` +
    labels.map(([label, value]) => `${found}[?"${label}"] == optional.of(${value})`).join(" && ") +
    ` && size(${owners}) == 1 && ${owners}[0].kind == "${MESH_SERVICE.kind}" && ${owners}[0].apiVersion == "${MESH_SERVICE.apiVersion}" && ` +
    `${owners}[0].name == ${service} && size(object.metadata.?finalizers.orValue([])) == 0`
  );
}

/** CEL: whether a Secret that is being deleted is brought to its end, as the garbage collector does by taking finalizers off: what it holds stays. */
const ENDS =
  'request.operation == "UPDATE" && has(oldObject.metadata.deletionTimestamp) && object.?data == oldObject.?data && object.?type == oldObject.?type';

/** Secrets: a certificate that an issuer makes is written by it and by nobody else; of all services it alone writes Secrets, and these alone. */
export function issuedSecrets(data: AdmissionData): AdmissionPolicy {
  const object = 'request.operation == "DELETE" ? oldObject : object';
  return {
    name: "lucid-issued-secrets",
    spec: {
      failurePolicy: "Fail",
      matchConstraints: inZones([resources("", ["secrets"], ["CREATE", "UPDATE", "DELETE"])]),
      matchConditions: [NO_DRY_RUN],
      variables: [
        ...shards("issued", data.issued),
        ZONE,
        { name: "name", expression: `dyn(${object}).metadata.?name.orValue("")` },
        {
          name: "service",
          expression: `variables.name.endsWith("${CERTIFICATE_SUFFIX}") ? variables.name.substring(0, size(variables.name) - ${CERTIFICATE_SUFFIX.length}) : ""`,
        },
        { name: "isIssued", expression: isIssued("variables.service") },
        { name: "byIssuer", expression: BY_ITS_ISSUER },
      ],
      validations: [
        {
          expression: `!(${BY_A_SERVICE.expression}) || (variables.byIssuer && variables.isIssued && request.operation != "DELETE")`,
          message:
            "a service may write no Secret but the issuer of a zone the certificates of the zone's own services, and none may delete one; take it out",
        },
        {
          expression: `request.operation == "DELETE" || variables.byIssuer || !variables.isIssued || (${ENDS})`,
          message:
            "the certificate of this service is made by its zone's issuer, and by nobody else; delete the Secret where it is to be made anew",
        },
        {
          expression:
            `!variables.byIssuer || request.operation == "DELETE" || (object.type == "kubernetes.io/tls" && !object.?immutable.orValue(false) && ` +
            `size(dyn(object).?data.orValue({})) == 2 && ["tls.crt", "tls.key"].all(file, file in dyn(object).data) && ${ownMetadata("variables.service")})`,
          message: `an issuer writes a Secret of type kubernetes.io/tls with tls.crt and tls.key, which bears its service's labels and ends with its ${MESH_SERVICE.kind}; leave the rest out`,
        },
      ],
    },
  };
}

/** CEL of what a service may write of ConfigMaps as the issuer of its zone: what may be known of a certificate. */
export function isOwnRecord(): string {
  const told = [...Object.values(CERTIFICATE_RECORD), CERTIFICATE_END];
  return (
    `(${BY_ITS_ISSUER}) && variables.isIssued && !has(object.data) && !has(object.binaryData) && ${ownMetadata("variables.service")} && ` +
    `object.metadata.?annotations.orValue({}).all(key, key in ${JSON.stringify(told)})`
  );
}

/** Variables that {@link isOwnRecord} needs. */
export function recordVariables(data: AdmissionData): readonly NamedExpression[] {
  const suffix = "-certificate";
  return [
    ...shards("issued", data.issued),
    ZONE,
    {
      name: "service",
      expression: `object.metadata.name.endsWith("${suffix}") ? object.metadata.name.substring(0, size(object.metadata.name) - ${suffix.length}) : ""`,
    },
    { name: "isIssued", expression: isIssued("variables.service") },
  ];
}

/** Whom an issuer signs for is what the document declares, whoever writes it down. */
export function issuingPolicies(data: AdmissionData): AdmissionPolicy {
  return {
    name: "lucid-issuing",
    spec: {
      failurePolicy: "Fail",
      matchConstraints: inZones([{ ...resources("", ["configmaps"]), resourceNames: [ISSUING.policy] }]),
      // What the document gives up is finished by an update, which leaves the list as it is.
      matchConditions: [NO_DRY_RUN, whereChanged("data", "binaryData")],
      variables: [...shards("issued", data.issued), ZONE, { name: "datacenter", expression: literal(data.datacenter) }],
      validations: [
        {
          expression: `object.?data.services.orValue("").split("\\n").all(service, service == "" || ${isIssued("service")})`,
          message:
            "the zone's issuer would make certificates for somebody whom mesh.yaml does not declare in this zone; declare the service there and run `pulumi up`",
        },
        {
          expression: 'object.?data.datacenter.orValue("") == variables.datacenter',
          message:
            "the zone's issuer would give its certificates the names of another datacenter than this one; leave `datacenter` as `pulumi up` writes it",
        },
        {
          expression: `object.?data.validityHours.orValue("").matches("^[1-9][0-9]{0,3}$") && int(object.data.validityHours) <= ${LONGEST_HOURS}`,
          message: `the zone's issuer would make certificates that live longer than ${LONGEST_HOURS} hours, or than nobody knows; set validityHours`,
        },
      ],
    },
  };
}

const NAMES = JSON.stringify(ISSUERS);
/** Variables of an issuer's container: further ones could have it load something else, or ask another API server. */
const VARIABLES = ["ISSUER_ZONE", "ISSUER_INTERVAL", "LOG_LEVEL"];

/** An issuer's pod runs the issuer, of its own zone, and nothing beside it: whoever runs there can sign for the zone. */
export function issuers(): AdmissionPolicy {
  return {
    name: "lucid-issuers",
    spec: {
      failurePolicy: "Fail",
      matchConstraints: inZones(POD_MAKERS),
      matchConditions: POD_CONDITIONS,
      variables: [
        ...POD_VARIABLES,
        ...CONTAINER_VARIABLES,
        { name: "isIssuer", expression: `variables.zone == "mesh" && variables.service in ${NAMES}` },
        { name: "container", expression: "variables.containers[0]" },
      ],
      validations: RUNS.map((validation) => ({
        ...validation,
        expression: `!variables.isIssuer || (${validation.expression})`,
      })),
    },
  };
}

const RUNS: readonly Validation[] = [
  {
    expression:
      "size(variables.containers) == 1 && size(variables.initContainers) == 0 && !variables.spec.?shareProcessNamespace.orValue(false) && " +
      'variables.container.?command.orValue([]) == ["node", "/app/issuer.cjs"] && !["args", "lifecycle", "envFrom"].exists(key, key in variables.container)',
    message: 'an issuer\'s pod runs ["node", "/app/issuer.cjs"] and nothing else; leave the rest out',
  },
  {
    expression:
      `variables.container.?env.orValue([]).all(variable, variable.name in ${JSON.stringify(VARIABLES)} && !has(variable.valueFrom)) && ` +
      'variables.container.?env.orValue([]).exists_one(variable, variable.name == "ISSUER_ZONE") && ' +
      'variables.container.env.all(variable, variable.name != "ISSUER_ZONE" || "issuer-" + variable.?value.orValue("") == variables.service)',
    message: `an issuer is told its own zone by ISSUER_ZONE, and nothing else but ${VARIABLES.slice(1).join(" and ")}; take the rest out`,
  },
  {
    expression:
      "variables.spec.?volumes.orValue([]).all(volume, size(volume.?projected.?sources.orValue([])) > 0 && volume.projected.sources.exists(source, has(source.serviceAccountToken)))",
    message: "an issuer's pod has its account's token and no other volume; take them out",
  },
];

/** CEL: whether a rule of a Role lets its bearer read the key that a zone is signed by. */
function readsKey(rule: string): string {
  const names = `${rule}.?resourceNames.orValue([])`;
  return `("secrets" in ${rule}.?resources.orValue([]) && "" in ${rule}.?apiGroups.orValue([]) && (${names} == [] ? ${rule}.verbs.exists(verb, verb != "create") : "${ISSUING.secret}" in ${names}))`;
}

/** The right to read the key that a zone is signed by is one Role's, in whatever words it is given. */
export function keyReaders(): Validation {
  return {
    expression: `object.metadata.name == "${ISSUING.role}" || dyn(object).?rules.orValue([]).all(rule, !${readsKey("rule")})`,
    message: `the Role gives the right to read every Secret of the zone, or ${ISSUING.secret}, by which its certificates are signed; name the Secrets that it is about in resourceNames`,
  };
}

/** That Role is given to the zone's issuer, and to nobody else. */
export function keyHolders(): Validation {
  const issuer = `"issuer-" + request.namespace.substring(${"lucid-".length})`;
  return {
    expression:
      `object.roleRef.name != "${ISSUING.role}" || dyn(object).?subjects.orValue([]).all(subject, subject.kind == "ServiceAccount" && ` +
      `subject.?namespace.orValue("") == "lucid-mesh" && subject.name == ${issuer})`,
    message: `the RoleBinding gives ${ISSUING.role}, by which a zone's certificates are signed, to somebody else than the zone's issuer; take him out`,
  };
}

/** CEL: whether a name is that of an issuer's pod. */
export function isIssuerPod(name: string): string {
  return `(request.namespace == "lucid-mesh" && ${NAMES}.exists(issuer, ${name}.startsWith(issuer + "-") || ${name} == issuer))`;
}

/** CEL: whether a name is that of an issuer's account. */
export function isIssuerName(name: string): string {
  return `(request.namespace == "lucid-mesh" && ${name} in ${NAMES})`;
}
