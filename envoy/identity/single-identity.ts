import { extension, type Message } from "../message";

/** Where a connection keeps all the URI SANs of its peer's certificate, joined by commas. */
export const PEER_URIS = "lucid.peer-uri-sans";

/**
 * Network filter of a chain with mutual TLS: once the handshake is done it writes down every URI SAN of the peer's certificate, for {@link hasOnly}. TLS
 * itself asks whether *one* of them is accepted, and so does the principal `authenticated`; an X509-SVID has exactly one (SPIFFE X509-SVID, section 2), or
 * who it speaks for would depend on who reads it.
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/configuration/listeners/network_filters/set_filter_state
 */
export function notePeerUris(): Message {
  return extension(
    "envoy.filters.network.set_filter_state",
    "envoy.extensions.filters.network.set_filter_state.v3.Config",
    {
      on_downstream_tls_handshake: [
        {
          object_key: PEER_URIS,
          factory_key: "envoy.string",
          format_string: { text_format_source: { inline_string: "%DOWNSTREAM_PEER_URI_SAN%" } },
        },
      ],
    },
  );
}

/** Principal: the peer's certificate names this identity and no other. Nobody, where {@link notePeerUris} did not run. */
export function hasOnly(identity: string): Message {
  return { filter_state: { key: PEER_URIS, string_match: { exact: identity } } };
}
