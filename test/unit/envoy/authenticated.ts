import { resolveMesh, validateDocument, type Mesh } from "../../../mesh";

/** Public keys of an issuer; their private halves are nowhere. */
export const PUBLIC_KEYS: readonly Record<string, string>[] = [
  {
    kty: "EC",
    kid: "current",
    use: "sig",
    alg: "ES256",
    crv: "P-256",
    x: "Hmkm2E_cnVRhoqiS_jiBuqQS36GFKqIvlpEO7wZ6ozA",
    y: "99BNPu7rJbPy7yj8HdwywPRISEnjRt4bVF46K_8I8oc",
  },
  {
    kty: "RSA",
    kid: "former",
    n: "oRVgr48diXBNdVMiEig6W_NdYtnSuAs285jFQMJPdoV7jycIIltO14gvOL3ZVUtu0zudlLdZqYyO_jUnzZybAlknJ8cowvyL8cSp6zjWC-YenTkbF_lGJOfmIm17P4m2ZIX_XRrzU-GS_F0XXecY-vkuGiTwFeTikj621n4o0YsVhqVAECacZC2M4bKFsWWYMUbEBcMynlhhUq0TJfVAvK7jLfNeCGeYQm_PbRc1OWqioDtyzPC9uZ4RuxajMuXiFFRJTm4TnjDG2VAIZ-Q5q-lMIG7oKdXbHQX57QiehS50XNPnh1QKbAD69vUec0r9FbtCLgXvNp97Sm3DdI4uYw",
    e: "AQAB",
  },
];

/** Who signs the end users' tokens, and for whom. */
export const ISSUER = "https://login.lucid.internal";
export const AUDIENCE = "portal";

/**
 * A mesh of which one service, `portal`, has end users on a port of each protocol and asks the authenticator `verdict` about callers; `storefront` calls
 * it for end users, `ledger` is called by it and asks nobody.
 *
 * @param keys public keys of the issuer
 * @param revoked reasons, by services
 */
export function authenticatedMesh(
  keys: readonly object[] = PUBLIC_KEYS,
  revoked: Readonly<Record<string, string>> = {},
): Mesh {
  const users = { issuer: ISSUER, audiences: [AUDIENCE], jwks: { keys } };
  const declared = {
    apiVersion: "mesh.lucid.internal/v1",
    zones: { ops: { members: ["portal", "storefront"] }, mesh: { members: ["verdict", "ledger"] } },
    authentication: { service: "verdict", timeoutMs: 300, headers: ["x-shown"] },
    services: [
      {
        name: "portal",
        plane: "ops",
        image: "fortio/fortio:1.66.2",
        askAuthentication: true,
        ports: [
          {
            name: "http",
            port: 8080,
            endUsers: {
              ...users,
              forwardClaims: true,
              claims: [{ claim: "email_verified", values: ["true"] }],
              rules: [
                { paths: ["/login", "/static/*"], anonymous: true },
                { paths: ["/admin/ping"] },
                { paths: ["/admin/*"], claims: [{ claim: "roles", in: ["access"], values: ["admin", "owner"] }] },
                { methods: ["POST", "DELETE"], claims: [{ claim: "scope", values: ["write"] }] },
              ],
            },
          },
          {
            name: "grpc",
            port: 8079,
            protocol: "grpc",
            dialPort: 81,
            askAuthentication: false,
            endUsers: { ...users, header: "x-session", forwardToken: false, clockSkewSeconds: 1 },
          },
          {
            name: "feed",
            port: 8090,
            protocol: "websocket",
            dialPort: 8090,
            askAuthentication: false,
            endUsers: { ...users, cookie: "session" },
          },
          { name: "peer", port: 8333, protocol: "tcp", dialPort: 8333 },
          { name: "open", port: 8081, dialPort: 82 },
        ],
        calls: [{ service: "ledger", reason: "Books what was bought" }],
      },
      {
        name: "storefront",
        plane: "ops",
        image: "fortio/fortio:1.66.2",
        ports: [{ name: "http", port: 8080 }],
        calls: [{ service: "portal", ports: ["http", "grpc", "feed", "peer", "open"] }],
      },
      { name: "ledger", plane: "mesh", image: "fortio/fortio:1.66.2", ports: [{ name: "http", port: 8080 }] },
      {
        name: "verdict",
        plane: "mesh",
        image: "fortio/fortio:1.66.2",
        ports: [
          { name: "http", port: 8080 },
          { name: "grpc", port: 9191, protocol: "grpc", dialPort: 81 },
        ],
        calls: [{ service: "ledger" }],
      },
    ],
  };
  const services = declared.services.map((service) =>
    service.name in revoked ? { ...service, revoked: revoked[service.name] } : service,
  );
  return resolveMesh(validateDocument({ ...declared, services }));
}
