/** About sidecars and what stands with them. */
import type { Argument } from "./argument";

export const SIDECARS: readonly Argument[] = [
  {
    survives: /\.initContainers\[sidecar\]\.env\b|^drop of env: .*\.initContainers\[sidecar\]$/,
    why: "is of variables that name the pod in telemetry, or that only tell what the bootstrap says",
  },
  {
    survives: /\.initContainers\[sidecar\]\.(args|command)\b/,
    why: "is of options that say how the sidecar logs, is called and counts its workers; an option that Envoy doesn't know makes it refuse to start",
  },
  {
    survives: /\.initContainers\[start-gate\]\.env(\[GATE_TIMEOUT_SECONDS\].*)?$/,
    why: "says how long the start gate tries before kubelet starts it again",
  },
  {
    survives: /^swap for another object's: .*\.spec\.initContainers$/,
    why: "takes another service's sidecar and gate: they differ in a reserved user, and in names in telemetry, and still read the files of this one",
  },
  {
    survives: /: ConfigMap <service>-sidecar-envoy data\["bootstrap\.yaml"\]$/,
    why: "takes another sidecar's bootstrap, which differs in its name in telemetry",
  },
  {
    survives: /^swap for another object's: ConfigMap <service>-sidecar-envoy data\["clusters\.yaml"\]$/,
    isRare: true,
    why: "takes the clusters of a sidecar with the same callees: an application's port that nobody has, or a name in handshakes by which the callee asks for another zone's certificate",
  },
  {
    survives: /: ConfigMap <service>-sidecar-trust (metadata\.annotations|origin of (data|metadata))/,
    why: "is of a digest by which the controller sees a change, or of a list's signing key: a list that another key signed nobody believes, and that no key stands in the text is judged when it is known",
  },
  {
    survives: /\.automountServiceAccountToken$/,
    why: "takes its token for the Kubernetes API from who may have one",
  },
  {
    survives: /: Secret [\w<>-]*-tls (stringData\b.*|type)?$/,
    why: "changes a key or a certificate that is known only while it is made, where it comes from is proven before; or says another type, by which the API server checks the names of files alone",
  },
  {
    survives: /^(drop|swap|add) of .*: Secret [\w<>-]*-tls origin of stringData$/,
    why: "leaves out a part of what a certificate's Secret is made of: its sidecar has nothing to show then, or a chain that nobody believes",
  },
];
