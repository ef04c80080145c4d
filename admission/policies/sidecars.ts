/** Every pod of a zone stands behind its own sidecar, and does not start before its isolation is enforced. */
import { SIDECAR_UIDS } from "../../mesh/users";
import { SIDECAR_PATHS } from "../../mesh/wire";
import type { AdmissionData } from "../data";
import { isPinnedOf } from "../images";
import { list } from "../literal";
import { inZones, POD_MAKERS } from "../match";
import type { AdmissionPolicy, Validation } from "../model";
import { CONTAINER_VARIABLES, exemption, POD_CONDITIONS, POD_VARIABLES } from "../pods";

const LAST_UID = SIDECAR_UIDS.first + SIDECAR_UIDS.count - 1;
const RESERVED = `${SIDECAR_UIDS.first}-${LAST_UID}`;
const BOOTSTRAP = `${SIDECAR_PATHS.config}/bootstrap.yaml`;

/** Envoy's options that replace or extend the configuration that was judged. */
const FORBIDDEN =
  "^(-c|--(config-yaml|allow-unknown-fields|allow-unknown-static-fields|ignore-unknown-dynamic-fields|mode))(=.*)?$";

export function sidecars(data: AdmissionData): AdmissionPolicy {
  return {
    name: "lucid-sidecars",
    spec: {
      failurePolicy: "Fail",
      matchConstraints: inZones(POD_MAKERS),
      matchConditions: POD_CONDITIONS,
      variables: [
        list("sidecarImages", data.sidecarImages),
        list("startGateImages", data.startGateImages),
        ...POD_VARIABLES,
        ...CONTAINER_VARIABLES,
        ...exemption(data),
        { name: "sidecar", expression: "variables.initContainers[0]" },
        { name: "gate", expression: "variables.initContainers[1]" },
        { name: "args", expression: "variables.sidecar.?args.orValue([])" },
        { name: "podUser", expression: "variables.spec.?securityContext.?runAsUser.orValue(0)" },
        {
          name: "users",
          expression: "variables.containers.map(each, each.?securityContext.?runAsUser.orValue(variables.podUser))",
        },
      ],
      validations: [...ORDER, ...USERS, ...RESOLVER].map(unlessExempt),
    },
  };
}

const ORDER: readonly Validation[] = [
  {
    expression:
      'size(variables.initContainers) >= 2 && variables.sidecar.?restartPolicy.orValue("") == "Always" && ' +
      isPinnedOf("variables.sidecar.image", "variables.sidecarImages"),
    message:
      "the pod has no sidecar; attach one (MeshService and JoinedService do) as first init container: Envoy's image by exact version, restartPolicy Always",
  },
  {
    expression:
      'size(variables.sidecar.?command.orValue([])) == 1 && variables.sidecar.command[0] in ["envoy", "/usr/local/bin/envoy"] && ' +
      `variables.args.exists_one(arg, arg.startsWith("--config-path")) && variables.args.indexOf("--config-path") >= 0 && ` +
      `variables.args.indexOf("--config-path") + 1 < size(variables.args) && variables.args[variables.args.indexOf("--config-path") + 1] == "${BOOTSTRAP}" && ` +
      `"--reject-unknown-dynamic-fields" in variables.args && !variables.args.exists(arg, arg.matches("${FORBIDDEN}"))`,
    message: `the sidecar does not start from its own files; say \`envoy --config-path ${BOOTSTRAP} --reject-unknown-dynamic-fields\` and no option that replaces or extends them`,
  },
  {
    expression:
      '!variables.sidecar.?env.orValue([]).exists(variable, variable.name.matches("^(LD_|GLIBC_|MALLOC_)")) && !has(variables.sidecar.envFrom)',
    message:
      "the sidecar's environment changes what it loads, or comes from elsewhere; name each variable, and none that begins with LD_",
  },
  {
    expression:
      `${isPinnedOf("variables.gate.image", "variables.startGateImages")} && !has(variables.gate.restartPolicy) && ` +
      '!["command", "args", "envFrom"].exists(key, key in variables.gate)',
    message:
      "the second init container is not the start gate, run as its image has it; put it right behind the sidecar, as MeshService does, so that no application starts before its NetworkPolicy is enforced",
  },
];

const USERS: readonly Validation[] = [
  {
    expression: "!variables.spec.?shareProcessNamespace.orValue(false)",
    message: "the pod shares its process namespace, the sidecar's included; leave shareProcessNamespace out",
  },
  {
    expression:
      `variables.users[0] >= ${SIDECAR_UIDS.first} && variables.users[0] <= ${LAST_UID} && ` +
      "variables.sidecar.?securityContext.?runAsGroup.orValue(variables.users[0]) == variables.users[0]",
    message: `the sidecar does not run as a user reserved for sidecars, with its own group; set runAsUser to one of ${RESERVED} on it, and runAsGroup alike`,
  },
  {
    expression: `size(variables.users.filter(user, user >= ${SIDECAR_UIDS.first} && user <= ${LAST_UID})) == 1 && !variables.users.exists(user, user == 0)`,
    message: `a container runs as a user reserved for sidecars (it could take the sidecar's connections), or does not say its user; set runAsUser to a user outside ${RESERVED}, in so many words`,
  },
];

const RESOLVER: readonly Validation[] = [
  {
    expression:
      'variables.spec.?dnsPolicy.orValue("") == "None" && variables.spec.?dnsConfig.?nameservers.orValue([]) == ["127.0.0.1"] && !has(variables.spec.hostAliases)',
    message:
      "the pod resolves names past its sidecar; set dnsPolicy None and dnsConfig.nameservers [127.0.0.1], and no hostAliases",
  },
];

/** The discovery backend's own workloads and the node resolvers have none. */
function unlessExempt(validation: Validation): Validation {
  return { ...validation, expression: `variables.exempt || (${validation.expression})` };
}
