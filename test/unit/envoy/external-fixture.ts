import type { Mesh } from "../../../mesh/model";
import { resolveMesh, validateDocument } from "../../../mesh";

/** Certificates that nobody has a key of: of an authority, of another, and of nobody who could sign. */
export const AUTHORITY = `-----BEGIN CERTIFICATE-----
MIIBkDCCATWgAwIBAgIUWU6OwD25xHSly/j7+0dsOmWSPgMwCgYIKoZIzj0EAwIw
HDEaMBgGA1UEAwwRRXhhbXBsZSBhdXRob3JpdHkwIBcNMjYxMTIxMjA0NTQ4WhgP
MjEyNjEwMjgyMDQ1NDhaMBwxGjAYBgNVBAMMEUV4YW1wbGUgYXV0aG9yaXR5MFkw
EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaKfjsIx/fWrnFjR30TDo8DibD941U4YD
RnEsD91ENw9AI12JWwkAw1p9vaeIEAO6QEkPqo1afZrRHDcF8jF3BqNTMFEwHQYD
VR0OBBYEFGRH0x+pYenlvMFEIbOLUyfsXdUiMB8GA1UdIwQYMBaAFGRH0x+pYenl
vMFEIbOLUyfsXdUiMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSQAwRgIh
AJH6D+wRbLlABSJTgy+zOHwp2BXwZ2FYGNC16bCCCKc5AiEA9F6gSEYUY9jRnuuh
nmCzjyeI+rJ4xOXVSe0K/Cpg2DA=
-----END CERTIFICATE-----
`;
export const ANOTHER_AUTHORITY = `-----BEGIN CERTIFICATE-----
MIIBjzCCATWgAwIBAgIUCW9DQqKtqJxjqFGTBlcmoN3wWLowCgYIKoZIzj0EAwIw
HDEaMBgGA1UEAwwRQW5vdGhlciBhdXRob3JpdHkwIBcNMjYxMTIxMjA0NTQ4WhgP
MjEyNjEwMjgyMDQ1NDhaMBwxGjAYBgNVBAMMEUFub3RoZXIgYXV0aG9yaXR5MFkw
EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEIzjle8yRjYHGT9ODR8JXAYFLokjgcsUK
zPxwpmIKsTabwZ/FCz71pHyt7gPENhbR+Hd1008Qk5jR7qiPhMqDGaNTMFEwHQYD
VR0OBBYEFALv+WHIquHvBvh6AMJ7jBlK9IbXMB8GA1UdIwQYMBaAFALv+WHIquHv
Bvh6AMJ7jBlK9IbXMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIh
ANQsWAGmtTO/Rn5VT4IxoVAlAsH+R1CnqEz0jGn1uLCjAiAuZxCi33q2IRn42hUm
xVl4jRledGGa+EmGz9OxhEXN3w==
-----END CERTIFICATE-----
`;
export const NO_AUTHORITY = `-----BEGIN CERTIFICATE-----
MIIBgjCCASigAwIBAgIUQ8XCQLn5kqhXGvA5sLJEXzbeA5IwCgYIKoZIzj0EAwIw
FzEVMBMGA1UEAwwMbm8gYXV0aG9yaXR5MCAXDTI2MTEyMTIwNDU0OFoYDzIxMjYx
MDI4MjA0NTQ4WjAXMRUwEwYDVQQDDAxubyBhdXRob3JpdHkwWTATBgcqhkjOPQIB
BggqhkjOPQMBBwNCAATGsCnWqdd31IlWMMID5V2JVIwv5eXNi4O5rdLDjhD7jEVG
Azw2f630GuL8QAAJLAiw0praPQ8L5fIf17kFFUZdo1AwTjAdBgNVHQ4EFgQUfDag
pN8F5XDB5nXI3VbkbLXXnhEwHwYDVR0jBBgwFoAUfDagpN8F5XDB5nXI3VbkbLXX
nhEwDAYDVR0TAQH/BAIwADAKBggqhkjOPQQDAgNIADBFAiEA6LOdmaePFnx7+GBV
1c9hDyxKGDybCmND+2EfaxnrlFkCIB1aUEGd+C24Q+nV3j4Gw21lWyaftT1vRqO7
9Tidf8tm
-----END CERTIFICATE-----
`;

const HTTP = { name: "http", port: 8080 };
const IMAGE = "fortio/fortio:1.66.2";

/**
 * Services outside the cluster of every kind, and who calls them: a database with two instances, that is shown a certificate; an API by HTTP and gRPC whose health is
 * asked; and one in plain text. `bystander` calls none of them.
 *
 * @param authorities those of the database and of the API, as PEM
 */
export function externalDocument(authorities: string = AUTHORITY) {
  return {
    apiVersion: "mesh.lucid.internal/v1",
    zones: {
      ops: { members: ["ledger", "bystander", "legacy"] },
      wallet: { members: ["payout-router"] },
      mesh: { members: ["mesh-controller"] },
      edge: { members: ["ledger-db", "rates"] },
    },
    services: [
      {
        name: "ledger",
        plane: "ops",
        image: IMAGE,
        ports: [HTTP],
        calls: [
          { service: "ledger-db", reason: "The ledger is kept there" },
          { service: "rates", ports: ["http", "grpc"], reason: "Amounts are shown in euro" },
          { service: "legacy", methods: ["GET"], paths: ["/export/*"], until: "2098-06-30" },
        ],
      },
      { name: "bystander", plane: "ops", image: IMAGE, ports: [HTTP], calls: [{ service: "ledger" }] },
      {
        name: "payout-router",
        plane: "wallet",
        image: IMAGE,
        ports: [HTTP],
        calls: [{ service: "rates", methods: ["GET"], paths: ["/tron/*"], reason: "Payouts are in TRX" }],
      },
      { name: "mesh-controller", plane: "mesh", component: true, ports: [HTTP] },
      {
        name: "ledger-db",
        plane: "edge",
        replicas: 2,
        ports: [{ name: "sql", port: 5432, protocol: "tcp", dialPort: 5432 }],
        external: {
          addresses: ["10.20.0.6", "10.20.0.5"],
          tls: { names: ["db.example.org"], authorities, presentCertificate: true, alpn: ["postgresql"] },
        },
      },
      {
        name: "rates",
        plane: "edge",
        ports: [
          { name: "http", port: 443 },
          { name: "grpc", port: 8443, protocol: "grpc", dialPort: 81 },
        ],
        external: {
          addresses: ["10.20.1.7"],
          tls: { names: ["rates.example.org", "api.example.org"], serverName: "api.example.org", authorities },
          health: { path: "/healthz" },
        },
      },
      {
        name: "legacy",
        plane: "ops",
        ports: [{ name: "http", port: 8000 }],
        external: {
          addresses: ["10.20.2.9"],
          plaintext: { reason: "It is older than TLS", owner: "Cluster 04, billing", until: "2098-12-31" },
        },
      },
    ],
  };
}

/** {@link externalDocument}, resolved. */
export function externalMesh(authorities?: string): Mesh {
  return resolveMesh(validateDocument(externalDocument(authorities)));
}
