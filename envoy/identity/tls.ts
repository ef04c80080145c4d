import { SIDECAR_PATHS } from "../../mesh/wire";
import type { ExternalTls, PeerZone } from "../../mesh/model";
import { extension, type Message } from "../message";
import { LEAF_SECRET, trustSecret } from "../names";
import { secretFile, secretFrom } from "./sds";

const TLS = "envoy.extensions.transport_sockets.tls.v3";
const TRANSPORT_SOCKET = "envoy.transport_sockets.tls";

/** Name of the file, beside the listeners, that says where the certificate lies. */
export const CERTIFICATE_FILE = "certificate.yaml";

/** Both ends are pinned: Envoy's client side would otherwise stop at TLS 1.2. */
const TLS_1_3: Message = { tls_minimum_protocol_version: "TLSv1_3", tls_maximum_protocol_version: "TLSv1_3" };

/** Which peers a context accepts: certificates issued under one zone's roots that bear one of these names. */
export interface Peers {
  /** Zone whose roots the peer's certificate must chain to, and no other's. */
  readonly zone: PeerZone;
  /** The exact URI SANs accepted, or a prefix where the peer cannot be known beforehand. */
  readonly identities: { readonly exact: readonly string[] } | { readonly prefix: string };
}

/**
 * Server side of mutual TLS 1.3. No session is resumed: a resumed session is not verified again, so a peer could outlive the trust in it.
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/transport_sockets/tls/v3/tls.proto
 */
export function serverTls(peers: Peers, alpn: readonly string[]): Message {
  return extension(TRANSPORT_SOCKET, `${TLS}.DownstreamTlsContext`, {
    require_client_certificate: true,
    require_sni: true,
    disable_stateless_session_resumption: true,
    disable_stateful_session_resumption: true,
    common_tls_context: commonContext(peers, alpn),
  });
}

/** Client side of mutual TLS 1.3: asks for `serverName` and accepts only the callee's identity. */
export function clientTls(peers: Peers, serverName: string, alpn: readonly string[]): Message {
  return extension(TRANSPORT_SOCKET, `${TLS}.UpstreamTlsContext`, {
    sni: serverName,
    max_session_keys: 0,
    common_tls_context: commonContext(peers, alpn),
  });
}

/**
 * Client side of TLS with a service outside the cluster: under its own authorities, which stand here and so nowhere else, and to one of its exact names.
 */
export function externalTls(
  { names, serverName, authorities, presentsCertificate }: ExternalTls,
  alpn: readonly string[],
): Message {
  if (names.length === 0)
    throw new RangeError("a service outside the cluster must have a name; any would do otherwise");
  return extension(TRANSPORT_SOCKET, `${TLS}.UpstreamTlsContext`, {
    sni: serverName,
    max_session_keys: 0,
    common_tls_context: {
      tls_params: { tls_minimum_protocol_version: "TLSv1_2", tls_maximum_protocol_version: "TLSv1_3" },
      ...(alpn.length > 0 ? { alpn_protocols: alpn } : {}),
      ...(presentsCertificate ? { tls_certificate_sds_secret_configs: [ownCertificate()] } : {}),
      validation_context: {
        trusted_ca: { inline_string: authorities },
        match_typed_subject_alt_names: names.map((name) => ({
          san_type: "DNS",
          matcher: { safe_regex: { regex: literally(name) } },
        })),
      },
    },
  });
}

/**
 * The SDS file of a zone's trust, `<zone>.yaml` under {@link SIDECAR_PATHS.config}: its roots, and what was revoked under them. The PEMs are inline: of all
 * forms only this one is reloaded together with its watched directory.
 *
 * Revocation lists are always there, empty ones too: with one list in the file Envoy demands one of every issuer of a leaf, so that an issuing authority
 * that the zone gave up is refused although its root is not; and the check is not first tried on the day it is needed.
 *
 * @param rootsPem one or more PEM certificates; several while roots are being exchanged
 * @param revocationsPem a PEM revocation list of every issuing authority
 */
export function renderTrust(zone: PeerZone, rootsPem: string, revocationsPem: string): string {
  return secretFile({
    name: trustSecret(zone),
    validation_context: {
      trusted_ca: { inline_string: rootsPem },
      crl: { inline_string: revocationsPem },
      // Roots sign no lists: a root that can't be believed any more is taken out of the bundle.
      only_verify_leaf_cert_crl: true,
    },
  });
}

/** The SDS file that names the sidecar's certificate and key; it says the same for every service. */
export function renderCertificateSds(): string {
  const directory = SIDECAR_PATHS.certificate;
  return secretFile({
    name: LEAF_SECRET,
    tls_certificate: {
      certificate_chain: { filename: `${directory}/tls.crt` },
      private_key: { filename: `${directory}/tls.key` },
      watched_directory: { path: directory },
    },
  });
}

function commonContext(peers: Peers, alpn: readonly string[]): Message {
  return {
    tls_params: TLS_1_3,
    ...(alpn.length > 0 ? { alpn_protocols: alpn } : {}),
    tls_certificate_sds_secret_configs: [ownCertificate()],
    combined_validation_context: {
      default_validation_context: { match_typed_subject_alt_names: sanMatchers(peers.identities) },
      validation_context_sds_secret_config: secretFrom(
        trustSecret(peers.zone),
        SIDECAR_PATHS.config,
        `${peers.zone}.yaml`,
      ),
    },
  };
}

/** A DNS name as a regular expression. `exact` would take a certificate for every name of its domain, too. */
function literally(name: string): string {
  return name.replaceAll(/[.*]/g, "\\$&");
}

function ownCertificate(): Message {
  return secretFrom(LEAF_SECRET, SIDECAR_PATHS.config, CERTIFICATE_FILE);
}

function sanMatchers(identities: Peers["identities"]): Message[] {
  if ("prefix" in identities) {
    return [{ san_type: "URI", matcher: { prefix: identities.prefix } }];
  }
  if (identities.exact.length === 0) {
    // Envoy reads "no matcher" as "every certificate of these roots".
    throw new RangeError(
      "a TLS context must name at least one peer identity; an empty list would accept the whole zone",
    );
  }
  return identities.exact.map((identity) => ({ san_type: "URI", matcher: { exact: identity } }));
}
