/** Nothing runs in a zone but its members, under their own names, accounts and labels. */
import { LABELS } from "../../mesh/wire";
import type { AdmissionData } from "../data";
import { hasKey, list, shards } from "../literal";
import { inZones, NO_DRY_RUN, POD_MAKERS, resources } from "../match";
import type { AdmissionPolicy } from "../model";
import { exemption, label, POD_CONDITIONS, POD_VARIABLES, TITLE } from "../pods";

/** A pod's labels decide whom NetworkPolicies take it for: they can be changed by way of its status as well. */
const RESOURCES = [...POD_MAKERS, resources("", ["pods/status"], ["UPDATE"])];

/** CEL: whether this is the ReplicaSet of a Deployment that bears the service's name, which is all that infrastructure has besides. */
const DEPLOYED =
  'variables.kind == "ReplicaSet" && dyn(object).metadata.?ownerReferences.orValue([]).exists(owner, owner.kind == "Deployment" && owner.name == variables.service)';

export function members(data: AdmissionData): AdmissionPolicy {
  return {
    name: "lucid-members",
    spec: {
      failurePolicy: "Fail",
      matchConstraints: inZones(RESOURCES),
      matchConditions: POD_CONDITIONS,
      variables: [
        ...shards("services", data.services),
        list("revoked", data.revoked),
        ...POD_VARIABLES,
        ...exemption(data),
        { name: "name", expression: 'dyn(object).metadata.?name.orValue("")' },
        { name: "suffix", expression: 'variables.name.replace(variables.service + "-", "", 1)' },
        {
          name: "completing",
          expression:
            'variables.kind in ["Job", "CronJob"] || (variables.kind == "Pod" && dyn(object).metadata.?ownerReferences.orValue([]).exists(owner, owner.kind == "Job" && owner.apiVersion == "batch/v1"))',
        },
      ],
      validations: [
        {
          expression: hasKey("services", "variables.party"),
          message:
            "the pod runs under a ServiceAccount that is no member's of this zone; declare the service in mesh.yaml and run `pulumi up`",
          messageExpression: `${TITLE} + " runs as '" + variables.service + "', which is not a member of zone " + variables.zone + "; declare the service in mesh.yaml and run \`pulumi up\`, or name a member's ServiceAccount in serviceAccountName"`,
        },
        {
          expression: 'variables.kind != "Pod" || !(variables.party in variables.revoked)',
          message:
            "the service is revoked, so no pod may run as it; take `revoked` out of mesh.yaml and run `pulumi up`",
        },
        {
          expression: `${label(LABELS.name)} == variables.service && ${label(LABELS.zone)} == variables.zone`,
          message: `the pod's labels ${LABELS.name} and ${LABELS.zone} are not its service's and its zone's, so policies would take it for something else; set them to the name of its ServiceAccount and of its zone`,
        },
        {
          expression: `${label(LABELS.meshed)} == (variables.exempt ? "" : "true")`,
          message: `the label ${LABELS.meshed} is "true" on pods with a sidecar and missing on all others; set it so`,
        },
        {
          expression: `${label(LABELS.completes)} == (variables.completing ? "true" : "")`,
          message: `the label ${LABELS.completes} is "true" on pods of Jobs and missing on all others; set it so`,
        },
        {
          expression:
            'variables.kind == "Pod" || variables.name == variables.service || (variables.name.startsWith(variables.service + "-") && (' +
            `variables.exempt ? ${DEPLOYED} : (variables.kind == "ReplicaSet" || variables.suffix == ${label(LABELS.version)} || ` +
            '(variables.kind == "Job" && variables.suffix.matches("^([0-9a-f]{10}|[0-9]{8,9})$")))))',
          message:
            "the workload does not bear the name of its service; name it for its ServiceAccount: `<service>`, `<service>-<version>`, on a Job `<service>-<10 hexadecimal digits>`",
        },
      ],
    },
  };
}

/**
 * ServiceAccounts, which certificates and rights are bound to, are members'. Kubernetes keeps one named `default` in each namespace. A name never changes, so an
 * update has nothing to judge; and what the document gives up is finished by one.
 */
export function accounts(data: AdmissionData): AdmissionPolicy {
  return {
    name: "lucid-accounts",
    spec: {
      failurePolicy: "Fail",
      matchConstraints: inZones([resources("", ["serviceaccounts"], ["CREATE"])]),
      matchConditions: [NO_DRY_RUN],
      variables: [
        ...shards("services", data.services),
        list("revoked", data.revoked),
        {
          name: "party",
          expression: `request.namespace.substring(${"lucid-".length}) + "/" + object.metadata.name`,
        },
      ],
      validations: [
        {
          expression: `object.metadata.name == "default" || ${hasKey("services", "variables.party")}`,
          message:
            "the ServiceAccount is no member's of this zone; declare the service in mesh.yaml and run `pulumi up`",
        },
        {
          expression: "!(variables.party in variables.revoked)",
          message:
            "the service is revoked, so it has no ServiceAccount; take `revoked` out of mesh.yaml and run `pulumi up`",
        },
      ],
    },
  };
}
