import type { ResourceRule } from "../../../policies/judgement/rule";
import { imagesPinned } from "../../../policies/rules/images-pinned";
import { podSecurityRestricted } from "../../../policies/rules/pod-security-restricted";
import { sidecarRequired } from "../../../policies/rules/sidecar-required";
import { namespace } from "../fixtures/objects";
import { consul, cronJob, deployment, everyWorkload, job } from "../fixtures/workloads";
import { edit } from "../support/edit";
import { assertFinds, assertPasses, refusesEach } from "../support/judge";
import type { Mutation } from "../support/judge";
import { UNKNOWN } from "../support/unknown";

const POD = "spec.template.spec";

/** Declares the tests of a rule about pods for those of a Deployment, of a Job and of a CronJob alike; paths are a Deployment's. */
function refusesInEachWorkload(rule: ResourceRule, mutations: readonly Mutation[]): void {
  for (const [kind, happy, spec] of [
    ["Deployment", () => deployment(), "spec"],
    ["Job", () => job(), "spec"],
    ["CronJob", () => cronJob(), "spec.jobTemplate.spec"],
  ] as const) {
    describe(`on a ${kind}`, () => {
      refusesEach(
        rule,
        happy,
        mutations.map((mutation) => ({ ...mutation, path: mutation.path.replace(/^spec\.(?=template)/, `${spec}.`) })),
      );
    });
  }
}

describe("sidecar-required", () => {
  refusesInEachWorkload(sidecarRequired, [
    { title: "a pod without init containers", path: `${POD}.initContainers`, finds: /no sidecar/ },
    { title: "a pod without its sidecar", path: `${POD}.initContainers[0]`, finds: /is not the sidecar/ },
    {
      title: "a sidecar of another image",
      path: `${POD}.initContainers[0].image`,
      value: "busybox:1.35.0",
      finds: /is not the sidecar/,
    },
    {
      title: "a sidecar whose image is unknown",
      path: `${POD}.initContainers[0].image`,
      value: UNKNOWN,
      finds: /not known at preview/,
    },
    {
      title: "an Envoy that is an ordinary init container",
      path: `${POD}.initContainers[0].restartPolicy`,
      finds: /is not the sidecar/,
    },
    {
      title: "an unknown list of init containers",
      path: `${POD}.initContainers`,
      value: UNKNOWN,
      finds: /can't be known at preview/,
    },
    {
      title: "another user for the sidecar",
      path: `${POD}.initContainers[0].securityContext.runAsUser`,
      value: 1000,
      finds: /reserved user/,
    },
    {
      title: "an application of the sidecar's user",
      path: `${POD}.containers[0].securityContext.runAsUser`,
      value: 65101,
      finds: /reserved for sidecars/,
    },
    {
      title: "an application whose user is left to its image",
      path: `${POD}.containers[0].securityContext.runAsUser`,
      finds: /user is missing/,
    },
    {
      title: "a start gate of the sidecar's user",
      path: `${POD}.initContainers[1].securityContext.runAsUser`,
      value: 65101,
      finds: /reserved for sidecars/,
    },
    {
      title: "an ephemeral container",
      path: `${POD}.ephemeralContainers`,
      value: [{ name: "debug", image: "busybox:1.35.0", securityContext: { runAsUser: 65101 } }],
      finds: /reserved for sidecars/,
    },
    {
      title: "a shared process namespace",
      path: `${POD}.shareProcessNamespace`,
      value: true,
      finds: /process namespace/,
    },
    {
      title: "an unknown process namespace",
      path: `${POD}.shareProcessNamespace`,
      value: UNKNOWN,
      finds: /process namespace/,
    },
    { title: "no start gate", path: `${POD}.initContainers[1]`, finds: /no start gate/ },
    {
      title: "another image as start gate",
      path: `${POD}.initContainers[1].image`,
      value: "busybox:1.35.0",
      finds: /not a start gate/,
    },
    {
      title: "a start gate that does not wait",
      path: `${POD}.initContainers[1].restartPolicy`,
      value: "Always",
      finds: /does not hold the pod back/,
    },
    {
      title: "a start gate with another command",
      path: `${POD}.initContainers[1].command`,
      value: ["true"],
      finds: /something else than its image/,
    },
    {
      title: "a sidecar with another command",
      path: `${POD}.initContainers[0].command`,
      value: ["/bin/sh"],
      finds: /something else than Envoy/,
    },
    {
      title: "a sidecar with a configuration on its command line",
      path: `${POD}.initContainers[0].args[3]`,
      value: "--config-yaml",
      finds: /past the judged configuration/,
    },
    {
      title: "a sidecar with another bootstrap",
      path: `${POD}.initContainers[0].args[1]`,
      value: "/tmp/x.yaml",
      finds: /judged bootstrap/,
    },
    {
      title: "a sidecar that ignores unknown fields",
      path: `${POD}.initContainers[0].args[2]`,
      finds: /misspelt field/,
    },
    {
      title: "a sidecar with a preloaded library",
      path: `${POD}.initContainers[0].env[0].name`,
      value: "LD_PRELOAD",
      finds: /what the sidecar loads/,
    },
    {
      title: "a resolver past the sidecar",
      path: `${POD}.dnsPolicy`,
      value: "ClusterFirst",
      finds: /past its sidecar/,
    },
    {
      title: "a second resolver",
      path: `${POD}.dnsConfig.nameservers`,
      value: ["127.0.0.1", "10.96.0.10"],
      finds: /past its sidecar/,
    },
    {
      title: "hostAliases",
      path: `${POD}.hostAliases`,
      value: [{ ip: "127.0.0.1", hostnames: ["x"] }],
      finds: /hostAliases/,
    },
    {
      title: "a configuration of another name",
      path: `${POD}.volumes[0].projected.sources[0].configMap.name`,
      value: "mine",
      finds: /not its own/,
    },
    {
      title: "trust of another name",
      path: `${POD}.volumes[0].projected.sources[1].configMap.name`,
      value: "tron-payment-trust",
      finds: /not its own/,
    },
    {
      title: "a configuration without its trust",
      path: `${POD}.volumes[0].projected.sources`,
      value: [{ configMap: { name: "payout-router-envoy" } }],
      finds: /not its own/,
    },
    {
      title: "another source in place of the token keys",
      path: `${POD}.volumes[0].projected.sources[2]`,
      value: { configMap: { name: "mine" } },
      finds: /not its own/,
    },
    {
      title: "a source behind the token keys",
      path: `${POD}.volumes[0].projected.sources[3]`,
      value: { configMap: { name: "mine" } },
      finds: /not its own/,
    },
    {
      title: "token keys without which no pod starts",
      path: `${POD}.volumes[0].projected.sources[2].configMap.optional`,
      finds: /not its own/,
    },
    {
      title: "a token for another audience",
      path: `${POD}.volumes[3].projected.sources[0].serviceAccountToken.audience`,
      value: "https://kubernetes.default.svc",
      finds: /not its own/,
    },
    {
      title: "a token of a long life",
      path: `${POD}.volumes[3].projected.sources[0].serviceAccountToken.expirationSeconds`,
      value: 86400,
      finds: /not its own/,
    },
    {
      title: "a token of the default life",
      path: `${POD}.volumes[3].projected.sources[0].serviceAccountToken.expirationSeconds`,
      finds: /not its own/,
    },
    {
      title: "something beside the token",
      path: `${POD}.volumes[3].projected.sources[1]`,
      value: { configMap: { name: "mine" } },
      finds: /not its own/,
    },
    {
      title: "a sidecar without a token",
      path: `${POD}.initContainers[0].volumeMounts[2]`,
      finds: /not exactly one volume at \/etc\/envoy\/token/,
    },
    {
      title: "an application that mounts the identity token",
      path: `${POD}.containers[0].volumeMounts`,
      value: [{ name: "sidecar-token", mountPath: "/token" }],
      finds: /mounts an identity token/,
    },
    {
      title: "files of the configuration put elsewhere",
      path: `${POD}.volumes[0].projected.sources[0].configMap.items`,
      value: [{ key: "listeners.yaml", path: "mine.yaml" }],
      finds: /not its own/,
    },
    {
      title: "another service's certificate",
      path: `${POD}.volumes[1].secret.secretName`,
      value: "tron-payment-tls",
      finds: /not its own/,
    },
    {
      title: "a part of the configuration",
      path: `${POD}.initContainers[0].volumeMounts[0].subPath`,
      value: "x",
      finds: /never reloaded/,
    },
    {
      title: "an optional configuration",
      path: `${POD}.volumes[0].projected.sources[0].configMap.optional`,
      value: true,
      finds: /not its own/,
    },
    {
      title: "a volume over the trust files",
      path: `${POD}.initContainers[0].volumeMounts[2].mountPath`,
      value: "/etc/envoy/config/..data",
      finds: /covers a part of the judged files/,
    },
    {
      title: "an application that mounts the private key",
      path: `${POD}.containers[0].volumeMounts`,
      value: [{ name: "sidecar-certificate", mountPath: "/tls" }],
      finds: /mounts a private key/,
    },
    {
      title: "an application that mounts the admin socket",
      path: `${POD}.containers[0].volumeMounts`,
      value: [{ name: "sidecar-run", mountPath: "/run" }],
      finds: /admin socket/,
    },
    {
      title: "an application with the key in a variable",
      path: `${POD}.containers[0].env[0]`,
      value: { name: "X", valueFrom: { secretKeyRef: { name: "payout-router-tls", key: "tls.key" } } },
      finds: /part of a certificate's Secret/,
    },
  ]);

  for (const workload of everyWorkload()) {
    it(`judges ${workload.type}`, () => {
      assertPasses(sidecarRequired, workload);
      const path = workload.type.endsWith(":Pod")
        ? "spec"
        : workload.type.endsWith(":CronJob")
          ? `spec.jobTemplate.${POD}`
          : POD;
      assertFinds(
        sidecarRequired,
        { ...workload, properties: edit(workload.properties, `${path}.initContainers`, undefined) },
        /no sidecar/,
      );
    });
  }

  it("passes a start gate whose own image is known only once it is built", () => {
    const happy = deployment();
    assertPasses(sidecarRequired, {
      ...happy,
      properties: edit(happy.properties, `${POD}.initContainers[1].image`, UNKNOWN),
    });
  });

  it("passes the infrastructure that the ceiling names, and nothing that borrows its account", () => {
    assertPasses(sidecarRequired, consul());
    const { type, properties } = consul();
    assertFinds(sidecarRequired, { type, properties: edit(properties, "metadata.name", "consul-2") }, /no sidecar/);
    assertFinds(
      sidecarRequired,
      { type, properties: edit(properties, "metadata.namespace", "lucid-ops") },
      /no sidecar/,
    );
  });

  it("lets nothing run without a sidecar that no rule judges", () => {
    const { type, properties } = consul();
    for (const image of ["fortio/fortio:1.66.2", "envoyproxy/envoy:v1.40.0", "evil/consul-x:1.0.0", UNKNOWN]) {
      const changed = edit(properties, `${POD}.containers[0].image`, image);
      assertFinds(sidecarRequired, { type, properties: changed }, /no rule judges what/);
    }
  });

  it("leaves other namespaces alone, but not a workload that names none", () => {
    const happy = deployment();
    const bare = edit(happy.properties, `${POD}.initContainers`, undefined);
    assertPasses(sidecarRequired, { ...happy, properties: edit(bare, "metadata.namespace", "kube-system") });
    assertFinds(sidecarRequired, { ...happy, properties: edit(bare, "metadata.namespace", undefined) }, /no sidecar/);
    assertFinds(
      sidecarRequired,
      { ...happy, properties: edit(bare, "metadata.namespace", UNKNOWN) },
      /no sidecar|can't be known/,
    );
  });
});

describe("images-pinned", () => {
  const image = `${POD}.containers[0].image`;
  refusesInEachWorkload(imagesPinned, [
    { title: "latest", path: image, value: "fortio/fortio:latest", finds: /does not name one build/ },
    { title: "no tag", path: image, value: "fortio/fortio", finds: /does not name one build/ },
    { title: "a moving tag", path: image, value: "fortio/fortio:1", finds: /does not name one build/ },
    { title: "a tag that moves less", path: image, value: "fortio/fortio:v1.66", finds: /does not name one build/ },
    { title: "an unlisted repository", path: image, value: "fortio/other:1.66.2", finds: /not listed/ },
    { title: "an unlisted registry", path: image, value: "evil.example/fortio/fortio:1.66.2", finds: /not listed/ },
    {
      title: "a malformed digest",
      path: image,
      value: "fortio/fortio@sha256:12",
      finds: /not a well-formed reference/,
    },
    { title: "no image", path: image, finds: /missing/ },
    { title: "an unknown image", path: image, value: UNKNOWN, finds: /can't be known at preview/ },
    {
      title: "an init container's image",
      path: `${POD}.initContainers[1].image`,
      value: "registry.lucid.internal/lucid/start-gate:latest",
      finds: /does not name one build/,
    },
    {
      title: "an ephemeral container's image",
      path: `${POD}.ephemeralContainers`,
      value: [{ name: "debug", image: "busybox:latest" }],
      finds: /does not name one build/,
    },
  ]);

  for (const reference of [
    `fortio/fortio@sha256:${"a".repeat(64)}`,
    `fortio/fortio:1.66.2@sha256:${"a".repeat(64)}`,
    "docker.io/fortio/fortio:1.66.2",
    "index.docker.io/fortio/fortio:v1.66.2",
  ]) {
    it(`passes ${reference}`, () => {
      const happy = deployment();
      assertPasses(imagesPinned, { ...happy, properties: edit(happy.properties, image, reference) });
    });
  }

  it("passes an unknown image of the start gate, whose origin the stack rule proves", () => {
    const happy = deployment();
    assertPasses(imagesPinned, {
      ...happy,
      properties: edit(happy.properties, `${POD}.initContainers[1].image`, UNKNOWN),
    });
  });

  it("judges the images that the stack builds", () => {
    const built = (imageName: string) => ({ type: "docker:index/image:Image", properties: { imageName } });
    assertPasses(imagesPinned, built("registry.lucid.internal/lucid/start-gate:0.1.0-0123456789ab"));
    assertFinds(imagesPinned, built("registry.lucid.internal/lucid/start-gate:latest"), /does not name one build/);
    assertFinds(imagesPinned, built("evil.example/start-gate:0.1.0"), /not listed/);
  });
});

describe("pod-security-restricted", () => {
  const app = `${POD}.containers[0]`;
  const context = `${app}.securityContext`;
  refusesInEachWorkload(podSecurityRestricted, [
    ...["hostNetwork", "hostPID", "hostIPC"].map((flag) => ({
      title: flag,
      path: `${POD}.${flag}`,
      value: true,
      finds: new RegExp(flag),
    })),
    { title: "an unknown hostNetwork", path: `${POD}.hostNetwork`, value: UNKNOWN, finds: /hostNetwork/ },
    {
      title: "hostPath",
      path: `${POD}.volumes[0]`,
      value: { name: "sidecar-config", hostPath: { path: "/" } },
      finds: /type hostPath/,
    },
    {
      title: "a volume of an unknown type",
      path: `${POD}.volumes[0]`,
      value: { name: "sidecar-config", image: { reference: "x" } },
      finds: /type image/,
    },
    {
      title: "an unsafe sysctl",
      path: `${POD}.securityContext.sysctls[0].name`,
      value: "kernel.msgmax",
      finds: /not a safe sysctl/,
    },
    { title: "a privileged container", path: `${context}.privileged`, value: true, finds: /privileged/ },
    { title: "privilege escalation", path: `${context}.allowPrivilegeEscalation`, finds: /gain privileges/ },
    {
      title: "a kept capability",
      path: `${context}.capabilities.drop`,
      value: ["NET_RAW"],
      finds: /keeps capabilities/,
    },
    { title: "an added capability", path: `${context}.capabilities.add`, value: ["NET_ADMIN"], finds: /NET_ADMIN/ },
    { title: "root", path: `${context}.runAsUser`, value: 0, finds: /runs as root/ },
    {
      title: "a container that opts out of runAsNonRoot",
      path: `${context}.runAsNonRoot`,
      value: false,
      finds: /may run as root/,
    },
    {
      title: "an unconfined seccomp profile",
      path: `${context}.seccompProfile.type`,
      value: "Unconfined",
      finds: /seccomp/,
    },
    {
      title: "an unconfined AppArmor profile",
      path: `${context}.appArmorProfile`,
      value: { type: "Unconfined" },
      finds: /AppArmor/,
    },
    { title: "an SELinux user", path: `${context}.seLinuxOptions`, value: { user: "system_u" }, finds: /SELinux/ },
    { title: "a writable root", path: `${context}.readOnlyRootFilesystem`, finds: /write to its root filesystem/ },
    { title: "an unmasked /proc", path: `${context}.procMount`, value: "Unmasked", finds: /not masked/ },
    { title: "a host port", path: `${app}.ports[0].hostPort`, value: 80, finds: /port of the node/ },
    {
      title: "a probe of another host",
      path: `${app}.readinessProbe.httpGet.host`,
      value: "10.0.0.1",
      finds: /another host/,
    },
    { title: "a container without a security context", path: context, finds: /may gain privileges/ },
    {
      title: "a sidecar that may gain privileges",
      path: `${POD}.initContainers[0].securityContext.allowPrivilegeEscalation`,
      value: true,
      finds: /initContainers\[0\].*gain privileges/,
    },
    {
      title: "an ephemeral container without a security context",
      path: `${POD}.ephemeralContainers`,
      value: [{ name: "debug", image: "busybox:1.35.0" }],
      finds: /ephemeralContainers\[0\].*gain privileges/,
    },
    {
      title: "a host process",
      path: `${POD}.securityContext.windowsOptions`,
      value: { hostProcess: true },
      finds: /host process/,
    },
    { title: "a pod of which nothing is known", path: "spec", finds: /nothing of the pod is known/ },
  ]);

  it("takes runAsNonRoot and seccomp from the pod", () => {
    const happy = deployment();
    let { properties } = happy;
    for (const key of ["runAsNonRoot", "seccompProfile"]) properties = edit(properties, `${context}.${key}`, undefined);
    assertPasses(podSecurityRestricted, { ...happy, properties });
  });

  describe("on a namespace", () => {
    refusesEach(podSecurityRestricted, namespace, [
      {
        title: "no enforcement",
        path: 'metadata.labels["pod-security.kubernetes.io/enforce"]',
        finds: /enforces missing/,
      },
      {
        title: "a weaker level",
        path: 'metadata.labels["pod-security.kubernetes.io/enforce"]',
        value: "baseline",
        finds: /enforces `baseline`/,
      },
      {
        title: "an old version",
        path: 'metadata.labels["pod-security.kubernetes.io/enforce-version"]',
        value: "v1.20",
        finds: /old version/,
      },
    ]);
  });
});
