import type { Field } from "../../../judgement/field";
import { requiredText } from "../../network/reading/fields";
import type { Party } from "../model";
import { must, partyIn } from "./messages";

/** Whom a TLS context lets in or is led to. */
export interface TlsPeers {
  /** The zone whose roots it trusts. */
  readonly zone: string;
  /** `<zone>/*` for every identity of the zone. */
  readonly parties: readonly Party[];
  readonly alpn: readonly string[];
}

/** What a TLS context of the form accepts. @param datacenter the own one, where there are several @throws Unjudgeable */
export function peersOf(socket: Field, datacenter: string | undefined): TlsPeers {
  const common = socket.at("typed_config", "common_tls_context");
  const alpn = common.at("alpn_protocols").texts();
  must(
    alpn.length > 0 && alpn.every((protocol) => ["h2", "http/1.1"].includes(protocol)),
    common.at("alpn_protocols"),
    "which HTTP is spoken isn't told",
    "offer h2, http/1.1 or both",
  );
  const validation = common.at("combined_validation_context");
  const zone = requiredText(validation.at("validation_context_sds_secret_config", "name")).replace(/^trust\//, "");
  const parties = validation
    .at("default_validation_context", "match_typed_subject_alt_names")
    .items()
    .map((matcher) => {
      must(
        matcher.at("san_type").is("URI") && matcher.at("matcher").keys().length === 1,
        matcher,
        "the name isn't one URI SAN",
        "match san_type URI, once",
      );
      return matcher.at("matcher").has("prefix") ? `${zone}/*` : partyIn(matcher.at("matcher", "exact"), datacenter);
    });
  must(
    new Set(parties).size === parties.length,
    validation.at("default_validation_context"),
    "an identity stands there twice",
    "keep one",
  );
  return { zone, parties, alpn };
}
