import type { Field } from "../judgement/field";
import { identityOf, type Scope } from "./scope";
import { closedKeys } from "./shape";

const PEER_URIS = "lucid.peer-uri-sans";

/** Checks the network filter by which a connection with mutual TLS keeps every URI SAN of its peer, and nothing else. */
export function checkNotesPeerUris(config: Field, { findings }: Scope): void {
  closedKeys(config, ["@type", "on_downstream_tls_handshake"], findings);
  const values = config.at("on_downstream_tls_handshake").items();
  findings.require(values.length === 1, config, "not exactly the peer's URI SANs are kept", `keep ${PEER_URIS} alone`);
  for (const value of values) {
    closedKeys(value, ["object_key", "factory_key", "format_string"], findings);
    const format = value.at("format_string");
    closedKeys(format, ["text_format_source"], findings);
    closedKeys(format.at("text_format_source"), ["inline_string"], findings);
    findings.require(
      value.at("object_key").is(PEER_URIS) &&
        value.at("factory_key").is("envoy.string") &&
        format.at("text_format_source", "inline_string").is("%DOWNSTREAM_PEER_URI_SAN%"),
      value,
      "what is kept is not every URI SAN of the peer's certificate",
      `keep %DOWNSTREAM_PEER_URI_SAN% under ${PEER_URIS}`,
    );
  }
}

/** Checks that a principal asks for a certificate with the identity of exactly this party, and no other. */
export function namesOnlyIdentityOf(id: Field, party: string, { findings, ceiling }: Scope): boolean {
  closedKeys(id, ["filter_state"], findings);
  const state = id.at("filter_state");
  closedKeys(state, ["key", "string_match"], findings);
  closedKeys(state.at("string_match"), ["exact"], findings);
  const [zone = "", service = ""] = party.split("/");
  return (
    state.at("key").is(PEER_URIS) &&
    state.at("string_match", "exact").is(identityOf(zone, service, ceiling.datacenter?.name))
  );
}
