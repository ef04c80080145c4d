/** What the API server fills in where an object doesn't say it: fields that no declaration has, and that mean nothing. */

type Tolerated = (value: unknown, parent: Readonly<Record<string, unknown>>) => boolean;

const is =
  (...values: readonly unknown[]): Tolerated =>
  (value) =>
    values.includes(value);
const isJson = (...texts: readonly string[]): Tolerated => {
  return (value) => texts.includes(JSON.stringify(value));
};

/** By the field's name. Source: `SetDefaults_*` of Kubernetes' `pkg/apis/{core,apps,networking,admissionregistration}/v1/defaults.go`. */
const DEFAULTS: Readonly<Record<string, Tolerated>> = {
  apiVersion: is("v1"),
  apiGroup: is("rbac.authorization.k8s.io", ""),
  creationTimestamp: is(null),
  defaultMode: is(420),
  dnsPolicy: is("ClusterFirst"),
  emptyDir: isJson("{}"),
  enableServiceLinks: is(true),
  expirationSeconds: is(3600),
  failureThreshold: is(3),
  hostUsers: is(true),
  imagePullPolicy: is("IfNotPresent", "Always"),
  initialDelaySeconds: is(0),
  kind: is("PersistentVolumeClaim"),
  matchPolicy: is("Equivalent"),
  minReadySeconds: is(0),
  namespaceSelector: isJson("{}"),
  objectSelector: isJson("{}"),
  periodSeconds: is(10),
  persistentVolumeClaimRetentionPolicy: isJson('{"whenDeleted":"Retain","whenScaled":"Retain"}'),
  podManagementPolicy: is("OrderedReady"),
  progressDeadlineSeconds: is(600),
  protocol: is("TCP"),
  // A pod's; of an init container it means that nothing waits for its end.
  restartPolicy: (value, parent) => value === "Always" && Object.hasOwn(parent, "containers"),
  revisionHistoryLimit: is(10),
  rollingUpdate: isJson(
    '{"maxUnavailable":"25%","maxSurge":"25%"}',
    '{"maxSurge":"25%","maxUnavailable":"25%"}',
    '{"partition":0}',
    '{"maxUnavailable":1,"maxSurge":0}',
    '{"maxSurge":0,"maxUnavailable":1}',
  ),
  schedulerName: is("default-scheduler"),
  scheme: is("HTTP"),
  scope: is("*"),
  securityContext: isJson("{}"),
  // Its name of old.
  serviceAccount: (value, parent) => value === parent.serviceAccountName,
  // Of the claims that a StatefulSet makes.
  status: isJson('{"phase":"Pending"}'),
  successThreshold: is(1),
  terminationGracePeriodSeconds: is(30),
  terminationMessagePath: is("/dev/termination-log"),
  terminationMessagePolicy: is("File"),
  timeoutSeconds: is(1),
  updateStrategy: isJson('{"type":"RollingUpdate","rollingUpdate":{"partition":0}}'),
  volumeMode: is("Filesystem"),
  "kubectl.kubernetes.io/restartedAt": (value) => typeof value === "string",
};

/** Maps whose keys are nobody's field names. `template.metadata.annotations` may tell of a restart. */
const FREE_MAPS: readonly string[] = [
  "labels",
  "matchLabels",
  "data",
  "binaryData",
  "nodeSelector",
  "limits",
  "requests",
];

/** Peers of a NetworkPolicy: beside a `podSelector` an empty `namespaceSelector` means the pods of every namespace, and none those of its own. */
const EXACT_MAPS: readonly string[] = ["from", "to"];

/** Whether an undeclared field says nothing that the API server doesn't say by itself. */
export function isDefault(
  map: string | undefined,
  field: string,
  value: unknown,
  parent: Readonly<Record<string, unknown>>,
): boolean {
  if (isAbsent(map, value)) return true;
  if (map !== undefined && [...FREE_MAPS, ...EXACT_MAPS].includes(map)) return false;
  const tolerated = Object.hasOwn(DEFAULTS, field) ? DEFAULTS[field] : undefined;
  return tolerated?.(value, parent) === true;
}

/** Whether a field of a map says no more than if it weren't there. */
export function isAbsent(map: string | undefined, value: unknown): boolean {
  return map !== undefined && EXACT_MAPS.includes(map) ? value === undefined || value === null : isNothing(value);
}

/** What the API server drops, and what it gives back for it. */
export function isNothing(value: unknown): boolean {
  if (value === undefined || value === null || value === "") return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && Object.values(value).every(isNothing);
}

/** Fields whose `false` the API server does not keep. Of others the absence may mean the contrary. */
const DROPPED_FALSE: readonly string[] = [
  "hostNetwork",
  "hostPID",
  "hostIPC",
  "readOnly",
  "stdin",
  "stdinOnce",
  "tty",
  "paused",
];

/** Whether a declared value may be absent from the object, and stand in it nevertheless. */
export function isDropped(map: string | undefined, field: string, declared: unknown): boolean {
  return isAbsent(map, declared) || (declared === false && DROPPED_FALSE.includes(field));
}
