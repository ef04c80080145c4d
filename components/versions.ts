/** Images of everything the mesh runs, by exact version. The one place to change when a part is upgraded. */
export const IMAGES = {
  envoy: "envoyproxy/envoy:v1.40.0",
  consul: "hashicorp/consul:1.21.0",
  etcd: "quay.io/coreos/etcd:v3.6.10",
  coredns: "coredns/coredns:1.12.4",
  prometheus: "prom/prometheus:v2.42.0",
  jaeger: "jaegertracing/jaeger:2.13.0",
} as const;

/** Version of the mesh's own images (`services/`), and of the objects it makes. */
export const MESH_VERSION = "0.1.0";
