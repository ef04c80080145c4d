import { createHash } from "node:crypto";
import { IDENTITY_TOKEN } from "../../mesh/wire";
import { any, type Message } from "../message";
import { TOKEN_CHECK } from "../names";
import { toYaml } from "../yaml";

/** Namespace under which Envoy's JWT filter keeps what a token says; fixed in Envoy. */
export const TOKEN_METADATA = "envoy.filters.http.jwt_authn";
/** Key in that namespace under which a checked identity token's claims lie. */
export const TOKEN_CLAIMS = "identity";

/** Seconds by which the clocks of two nodes may differ. */
const CLOCK_SKEW_SECONDS = 10;
/** Signatures remembered per filter chain; a checked token is not checked again before it expires. */
const CACHED_TOKENS = 512;

/** Who issues the cluster's service-account tokens. */
export interface TokenIssuer {
  /** The `iss` claim, as the API server's discovery document names it. */
  readonly issuer: string;
  /** JSON Web Key Set with the public keys, as text (RFC 7517). */
  readonly jwks: string;
}

/**
 * Nobody. Envoy rejects a set of no keys, and for good each listener that asks for such a file; so there is one, which is nobody's: no one ever had the private
 * part of a public key that is a digest.
 */
const NOBODY: TokenIssuer = {
  issuer: "https://nobody.invalid",
  jwks: JSON.stringify({ keys: [{ kty: "OKP", crv: "Ed25519", alg: "EdDSA", use: "sig", x: digestKey("nobody") }] }),
};

function digestKey(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}

/**
 * `tokens.yaml`: how every sidecar checks the identity tokens of its callers, as a file of ECDS that is reloaded as keys rotate. Without an issuer it refuses
 * every token: that is what a sidecar has until the controller has mirrored the cluster's keys.
 *
 * A token must be of that issuer, for the mesh's audience, unexpired, and no longer valid than kubelet asks for. It is taken out of the request; its claims
 * go into dynamic metadata, where authorization compares the subject with the certificate.
 *
 * @param datacenter whose tokens they are, where it isn't this one
 * @see https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/jwt_authn_filter
 */
export function renderTokens(issuer: TokenIssuer = NOBODY, datacenter?: string): string {
  const check = any("envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication", {
    providers: {
      cluster: {
        issuer: issuer.issuer,
        audiences: [IDENTITY_TOKEN.audience],
        max_lifetime: `${String(IDENTITY_TOKEN.lifetimeSeconds + CLOCK_SKEW_SECONDS)}s`,
        clock_skew_seconds: CLOCK_SKEW_SECONDS,
        local_jwks: { inline_string: issuer.jwks },
        from_headers: [{ name: IDENTITY_TOKEN.header }],
        forward: false,
        payload_in_metadata: TOKEN_CLAIMS,
        jwt_cache_config: { jwt_cache_size: CACHED_TOKENS },
      },
    },
    rules: EVERY_REQUEST.map((match) => ({ match, requires: { provider_name: "cluster" } })),
  });
  return toYaml({
    resources: [
      any("envoy.config.core.v3.TypedExtensionConfig", { name: tokenCheckName(datacenter), typed_config: check }),
    ],
  });
}

/** File of the check of tokens: {@link IDENTITY_TOKEN.keysFile}, which the controller keeps, or `tokens.<datacenter>.yaml`, whose keys are declared. */
export function tokensFile(datacenter?: string): string {
  return datacenter === undefined ? IDENTITY_TOKEN.keysFile : `tokens.${datacenter}.yaml`;
}

/** Name of the check, and of its configuration in that file. */
export function tokenCheckName(datacenter?: string): string {
  return datacenter === undefined ? TOKEN_CHECK : `${TOKEN_CHECK}.${datacenter}`;
}

/** A prefix does not match a CONNECT, which has no path. What matches neither has no claims, and authorization refuses it. */
const EVERY_REQUEST: readonly Message[] = [{ prefix: "/" }, { connect_matcher: {} }];
