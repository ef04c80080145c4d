import * as tls from "node:tls";
import * as x509 from "@peculiar/x509";
import { serverName } from "../../../../mesh/wire";
import { services } from "../../../unit/envoy/fixture";
import type { MeshLab } from "../mesh-lab";
import type { Leaf, Oddities } from "../pki";

const DAY_MS = 86_400_000;

/** Somebody who is not let in at 15001. */
interface Stranger {
  readonly what: string;
  /** What he shows. Default: the declared caller's own certificate. */
  readonly leaf?: (lab: MeshLab) => Partial<Leaf> | Promise<Partial<Leaf>>;
  /** What he asks otherwise than the declared caller. */
  readonly ask?: {
    readonly serverName?: string | undefined;
    readonly minVersion?: tls.SecureVersion;
    readonly maxVersion?: tls.SecureVersion;
    readonly ciphers?: string;
  };
  /** What he is told: an alert, or nothing. */
  readonly reason: RegExp;
}

/** The certificate of the caller that is declared. */
export const declared = (lab: MeshLab): Leaf => lab.leaf("console");

const odd = (oddities: Oddities) => (lab: MeshLab) => lab.forge("ops", services.console, oddities);

/** No filter chain has the name: the connection is closed with no word. */
const NO_DOOR = /ECONNRESET|socket disconnected/;

/** A scan of port 15001: each differs in one thing from the declared caller, who is let in. */
export const REFUSED: readonly Stranger[] = [
  ...(["TLSv1", "TLSv1.1", "TLSv1.2"] as const).map((version) => ({
    what: version,
    // By its own standards OpenSSL would not even try the first two.
    ask: { minVersion: version, maxVersion: version, ciphers: "ALL:@SECLEVEL=0" },
    reason: /protocol version/,
  })),
  ...["TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256"].map((ciphers) => ({
    what: `the cipher ${ciphers}`,
    ask: { ciphers },
    reason: /handshake failure/,
  })),
  { what: "a caller without a certificate", leaf: () => ({}), reason: /certificate required/ },
  { what: "a certificate that signed itself", leaf: odd({ selfSigned: true }), reason: /unknown ca/ },
  {
    what: "the same name from another zone's CA",
    leaf: (lab) => lab.forge("wallet", services.console),
    reason: /unknown ca/,
  },
  {
    what: "another service of the right zone",
    leaf: (lab) => lab.leaf("prometheus"),
    reason: /certificate unknown/,
  },
  {
    what: "a name that only begins like the caller's",
    leaf: (lab) => lab.forge("ops", { ...services.console, identity: `${services.console.identity}-2` }),
    reason: /certificate unknown/,
  },
  {
    what: "the caller's name as a DNS name only",
    leaf: (lab) =>
      lab.forge(
        "ops",
        { ...services.prometheus, hostname: services.console.hostname },
        { dnsNames: [services.console.hostname] },
      ),
    reason: /certificate unknown/,
  },
  {
    what: "a certificate that has expired",
    leaf: odd({ notAfter: new Date(Date.now() - 1000) }),
    reason: /certificate expired/,
  },
  {
    what: "a certificate that is not valid yet",
    leaf: odd({ notBefore: new Date(Date.now() + DAY_MS / 24) }),
    reason: /bad certificate|certificate unknown|certificate expired/,
  },
  {
    what: "a certificate for servers only",
    leaf: odd({ usages: [x509.ExtendedKeyUsage.serverAuth] }),
    reason: /unsupported certificate|certificate unknown/,
  },
  {
    what: "the caller at the door of another zone",
    ask: { serverName: serverName("http", "blocks", "wallet") },
    reason: /unknown ca/,
  },
  ...[
    { what: "a port that nobody of the zone may call", name: serverName("grpc", "blocks", "ops") },
    { what: "a zone that nobody calls from", name: serverName("http", "blocks", "mesh") },
    { what: "another service's name", name: serverName("http", "router", "ops") },
    { what: "a name of the outside", name: "example.org" },
    { what: "no server name", name: undefined },
  ].map(({ what, name }) => ({ what, ask: { serverName: name }, reason: NO_DOOR })),
];
