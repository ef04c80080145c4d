import type { Program } from "../../toolchain";

/** A file of an image. */
export interface ImageFile {
  /** A program of the toolchain, whose shared libraries come along, or `pause`. */
  readonly program: Program | "node" | "pause";
  /** Absolute path in the image. */
  readonly path: string;
}

/** A directory of an image that a user other than root owns. */
export interface ImageDirectory {
  readonly path: string;
  readonly uid: number;
  readonly gid: number;
}

/** An image made from scratch of a toolchain's program, laid out like the public image of the same name. */
export interface ImageSpec {
  /** Repository on its registry, as the registry's protocol names it: `library/node`, not `node`. */
  readonly repository: string;
  readonly tag: string;
  readonly files: readonly ImageFile[];
  readonly directories?: readonly ImageDirectory[];
  /** Directories of this machine that the image has too; links in them are followed. */
  readonly copies?: readonly { readonly directory: string; readonly without?: string }[];
  /** A shell and the usual tools (busybox), where the public image has some. */
  readonly shell: boolean;
  /** Names and ids of users beside root and nobody. */
  readonly users?: Readonly<Record<string, { readonly uid: number; readonly gid: number; readonly home: string }>>;
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly user?: string;
  readonly workingDirectory?: string;
}

const coredns = {
  files: [{ program: "coredns", path: "/coredns" }],
  shell: false,
  entrypoint: ["/coredns"],
  user: "65532:65532",
} as const satisfies Partial<ImageSpec>;

/** Every image that the embedded registry offers. */
export const images: readonly ImageSpec[] = [
  {
    repository: "pause",
    tag: "3.10",
    files: [{ program: "pause", path: "/pause" }],
    shell: false,
    entrypoint: ["/pause"],
    user: "65535:65535",
  },
  { repository: "coredns/coredns", tag: "1.12.4", ...coredns },
  // The same under the tag that registry.k8s.io gives it.
  { repository: "coredns/coredns", tag: "v1.12.4", ...coredns },
  {
    repository: "library/busybox",
    tag: "1.35.0",
    files: [],
    shell: true,
    command: ["sh"],
  },
  {
    repository: "envoyproxy/envoy",
    tag: "v1.40.0",
    files: [{ program: "envoy", path: "/usr/local/bin/envoy" }],
    shell: true,
    users: { envoy: { uid: 101, gid: 101, home: "/home/envoy" } },
    directories: [{ path: "/etc/envoy", uid: 101, gid: 101 }],
    entrypoint: ["/usr/local/bin/envoy"],
    command: ["-c", "/etc/envoy/envoy.yaml"],
  },
  {
    repository: "hashicorp/consul",
    tag: "1.21.0",
    files: [{ program: "consul", path: "/bin/consul" }],
    shell: true,
    users: { consul: { uid: 100, gid: 1000, home: "/home/consul" } },
    directories: [
      { path: "/consul/data", uid: 100, gid: 1000 },
      { path: "/consul/config", uid: 100, gid: 1000 },
    ],
    entrypoint: ["/bin/consul"],
    command: ["agent", "-dev", "-client", "0.0.0.0"],
  },
  {
    repository: "coreos/etcd",
    tag: "v3.6.10",
    files: [
      { program: "etcd-server", path: "/usr/local/bin/etcd" },
      { program: "etcdctl", path: "/usr/local/bin/etcdctl" },
    ],
    shell: false,
    directories: [{ path: "/var/lib/etcd", uid: 0, gid: 0 }],
    command: ["/usr/local/bin/etcd"],
  },
  {
    repository: "jaegertracing/jaeger",
    tag: "2.13.0",
    files: [{ program: "jaeger", path: "/cmd/jaeger/jaeger-linux" }],
    shell: false,
    entrypoint: ["/cmd/jaeger/jaeger-linux"],
    user: "10001",
  },
  {
    repository: "prom/prometheus",
    tag: "v2.42.0",
    files: [
      { program: "prometheus", path: "/bin/prometheus" },
      { program: "promtool", path: "/bin/promtool" },
    ],
    // Debian's build reads its pages from files; upstream's carries them inside.
    copies: [
      // The page uses the compiled time zones beside these sources of 200 MB.
      { directory: "/usr/share/prometheus/web", without: "moment-timezone/data" },
      { directory: "/etc/prometheus" },
    ],
    shell: true,
    directories: [{ path: "/prometheus", uid: 65534, gid: 65534 }],
    entrypoint: ["/bin/prometheus"],
    command: [
      "--config.file=/etc/prometheus/prometheus.yml",
      "--storage.tsdb.path=/prometheus",
      "--web.console.libraries=/etc/prometheus/console_libraries",
      "--web.console.templates=/etc/prometheus/consoles",
    ],
    user: "65534",
    workingDirectory: "/prometheus",
  },
  {
    repository: "fortio/fortio",
    tag: "1.66.2",
    files: [{ program: "fortio", path: "/usr/bin/fortio" }],
    shell: false,
    directories: [{ path: "/var/lib/fortio", uid: 1000, gid: 1000 }],
    entrypoint: ["/usr/bin/fortio"],
    command: ["server", "-config-dir", "/etc/fortio"],
  },
  {
    repository: "library/node",
    tag: "20-bookworm-slim",
    files: [{ program: "node", path: "/usr/local/bin/node" }],
    shell: true,
    users: { node: { uid: 1000, gid: 1000, home: "/home/node" } },
    command: ["node"],
  },
];

/** `repository:tag`. */
export function imageName(image: Pick<ImageSpec, "repository" | "tag">): string {
  return `${image.repository}:${image.tag}`;
}
