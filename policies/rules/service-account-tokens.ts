import type { Field } from "../judgement/field";
import type { Findings } from "../judgement/finding";
import type { Values } from "../judgement/parameters";
import type { ResourceRule } from "../judgement/rule";
import { KubeObject, isKind } from "../kubernetes/object";
import { makesPods, podTemplates } from "../kubernetes/pods";
import type { PodTemplate } from "../kubernetes/pods";
import { partyOf } from "../kubernetes/workload";

/** Audience of the tokens by which sidecars prove themselves to each other; that only a sidecar mounts one is `sidecar-required`. */
const MESH_AUDIENCE = "mesh.lucid.internal";
const LEGACY_SECRET = "kubernetes.io/service-account-token";

/** A pod has the tokens that it needs, each for one audience and for a short time; a token for the Kubernetes API is for who is listed. */
export const serviceAccountTokens: ResourceRule<"longestSeconds"> = {
  name: "service-account-tokens",
  description:
    "No token of a ServiceAccount is mounted by itself or lives for ever; tokens are projected, for the mesh or, for listed members, for the Kubernetes API.",
  severity: "high",
  remediation:
    "Set automountServiceAccountToken: false on the ServiceAccount and on the pod; who asks the Kubernetes API is added to the ceiling by its owner.",
  uses: ["members", "apiClients"],
  takesExceptions: true,
  parameters: {
    longestSeconds: {
      default: 3600,
      minimum: 600,
      maximum: 86_400,
      description: "Longest life of a projected token, in seconds.",
    },
  },
  concerns: (type) => makesPods(type) || isKind(type, "ServiceAccount", "Secret"),
  judge(resource, ceiling, findings, values) {
    const object = KubeObject.of(resource);
    if (!object?.concernsMesh) return;
    if (object.groupKind === "core/ServiceAccount") judgeAccount(object, findings);
    if (object.groupKind === "core/Secret") judgeSecret(object, findings);
    for (const template of podTemplates(object)) {
      const party = partyOf(object, template, ceiling);
      const asksApi = party !== undefined && Object.hasOwn(ceiling.apiClients, party);
      judgePod(template, party ?? "the pod", asksApi, values, findings);
    }
  },
};

function judgeAccount({ body }: KubeObject, findings: Findings): void {
  const automount = body.at("automountServiceAccountToken");
  findings.require(
    automount.is(false),
    automount,
    "every pod of the account gets a token for the Kubernetes API, unless it says otherwise",
    "set automountServiceAccountToken: false; a pod that needs one says so itself",
  );
  findings.require(
    body.at("secrets").isEmpty,
    body.at("secrets"),
    "the account is given a token that never ends",
    "take it out: tokens are projected",
  );
}

function judgeSecret({ body }: KubeObject, findings: Findings): void {
  const type = body.at("type");
  findings.require(
    !type.isUnknown && !type.is(LEGACY_SECRET),
    type,
    type.isUnknown
      ? "the Secret could be a token that never ends: its type can't be known at preview"
      : "the Secret is a ServiceAccount's token that never ends",
    "take it out: tokens are projected into the pods that need them",
  );
}

function judgePod(
  { spec }: PodTemplate,
  party: string,
  asksApi: boolean,
  values: Values<"longestSeconds">,
  findings: Findings,
): void {
  const automount = spec.at("automountServiceAccountToken");
  findings.require(
    automount.is(false) || (asksApi && automount.is(true)),
    automount,
    `${party} would have a token for the Kubernetes API`,
    asksApi
      ? "say true or false"
      : "set automountServiceAccountToken: false, or have the ceiling's owner list it under apiClients",
  );
  for (const volume of spec.at("volumes").items()) {
    for (const source of volume.at("projected", "sources").items()) {
      if (source.has("serviceAccountToken"))
        judgeToken(source.at("serviceAccountToken"), party, asksApi, values, findings);
    }
  }
}

function judgeToken(
  token: Field,
  party: string,
  asksApi: boolean,
  { longestSeconds }: Values<"longestSeconds">,
  findings: Findings,
): void {
  const audience = token.at("audience");
  // Without an audience it is the API server's own.
  findings.require(
    audience.is(MESH_AUDIENCE) || (asksApi && (audience.isAbsent || audience.is(""))),
    audience,
    audience.isAbsent || audience.is("")
      ? `${party} would have a token for the Kubernetes API`
      : `the token is for ${audience.shown()}`,
    `take the audience ${MESH_AUDIENCE}; who asks the Kubernetes API is listed under the ceiling's apiClients`,
  );
  const seconds = token.at("expirationSeconds");
  // Unsaid it is an hour.
  const lives = seconds.isAbsent ? 3600 : (seconds.number() ?? 0);
  findings.require(
    lives >= 600 && lives <= longestSeconds,
    seconds,
    `the token lives ${seconds.isAbsent ? "3600" : seconds.shown()} seconds`,
    `let it live 600 to ${String(longestSeconds)} seconds`,
  );
}
