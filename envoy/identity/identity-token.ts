import { IDENTITY_TOKEN, SIDECAR_PATHS } from "../../mesh/wire";
import { extension, type Message } from "../message";
import { TOKEN_SECRET } from "../names";
import { secretFile, secretFrom } from "./sds";
import { TOKEN_CLAIMS, TOKEN_METADATA, tokenCheckName, tokensFile } from "./token-keys";

/** Name of the file, beside the listeners, that says where the sidecar's own token lies. */
export const CREDENTIAL_FILE = "credential.yaml";

const TOKEN_PATH = `${SIDECAR_PATHS.token}/${IDENTITY_TOKEN.file}`;

/** The SDS file that names the sidecar's token; it says the same for every service. */
export function renderCredentialSds(): string {
  // Envoy watches the folder that a secret's file stands in; by way of `..data` that would be one that is never written again.
  return secretFile({ name: TOKEN_SECRET, generic_secret: { secret: { filename: TOKEN_PATH } } });
}

/**
 * HTTP filters of a cluster: each request that leaves for it bears the pod's token, whatever header the application sent, and none leaves without. On the
 * cluster and not on a listener, because spans and scrapes come through no outbound listener.
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/credential_injector_filter
 */
export function presentToken(): Message[] {
  return [
    extension(
      "envoy.filters.http.credential_injector",
      "envoy.extensions.filters.http.credential_injector.v3.CredentialInjector",
      {
        overwrite: true,
        allow_request_without_credential: false,
        credential: extension(
          "envoy.http.injected_credentials.generic",
          "envoy.extensions.http.injected_credentials.generic.v3.Generic",
          {
            credential: secretFrom(TOKEN_SECRET, SIDECAR_PATHS.config, CREDENTIAL_FILE),
            header: IDENTITY_TOKEN.header,
          },
        ),
      },
    ),
    extension("envoy.filters.http.upstream_codec", "envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec"),
  ];
}

/**
 * The same for a plain TCP connection, which travels as a CONNECT of the TCP proxy's own making: no request of it passes the cluster's filters, and headers
 * of a tunnel know no files. So a filter before the proxy takes the token into the connection's state, and {@link TUNNEL_HEADER} takes it from there. Where
 * there is none the header is none either, and the callee refuses the connection.
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/configuration/listeners/network_filters/set_filter_state
 */
export function tokenForTunnel(): Message {
  return extension(
    "envoy.filters.network.set_filter_state",
    "envoy.extensions.filters.network.set_filter_state.v3.Config",
    {
      on_new_connection: [
        {
          object_key: TUNNEL_STATE,
          factory_key: "envoy.string",
          format_string: {
            text_format_source: { inline_string: `%FILE_CONTENT(${TOKEN_PATH}:${SIDECAR_PATHS.token})%` },
            formatters: [
              extension("envoy.formatter.file_content", "envoy.extensions.formatter.file_content.v3.FileContent"),
            ],
          },
        },
      ],
    },
  );
}

const TUNNEL_STATE = "lucid.identity-token";

/** Header of a tunnel: the token that {@link tokenForTunnel} took. */
export const TUNNEL_HEADER: Message = {
  header: { key: IDENTITY_TOKEN.header, value: `%FILTER_STATE(${TUNNEL_STATE}:PLAIN)%` },
  append_action: "OVERWRITE_IF_EXISTS_OR_ADD",
};

/**
 * The filter that checks a caller's token, before authorization. Its configuration is a file, {@link IDENTITY_TOKEN.keysFile} or that of another datacenter, so that
 * new keys change no listener; while that can't be had, every request is answered 500.
 *
 * @param datacenter whose callers come by the chain, where it isn't this one: two clusters may name the same issuer, so the chain decides by whose keys a token is checked
 */
export function checkToken(datacenter?: string): Message {
  const directory = SIDECAR_PATHS.config;
  return {
    name: tokenCheckName(datacenter),
    config_discovery: {
      config_source: {
        path_config_source: {
          path: `${directory}/..data/${tokensFile(datacenter)}`,
          watched_directory: { path: directory },
        },
        resource_api_version: "V3",
      },
      type_urls: ["type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication"],
    },
  };
}

/** The subject of a service's tokens (`sub`): its service account. */
export interface TokenSubject {
  readonly namespace: string;
  readonly name: string;
}

/** Principal: the checked token is this service account's. */
export function tokenOf({ namespace, name }: TokenSubject): Message {
  return {
    sourced_metadata: {
      metadata_matcher: {
        filter: TOKEN_METADATA,
        path: [{ key: TOKEN_CLAIMS }, { key: "sub" }],
        value: { string_match: { exact: `system:serviceaccount:${namespace}:${name}` } },
      },
    },
  };
}

/** Access-log text: the pod that the caller's token was issued to; `-` where there was no valid one. */
export const CALLER_INSTANCE = `%DYNAMIC_METADATA(${TOKEN_METADATA}:${TOKEN_CLAIMS}:kubernetes.io:pod:name)%`;
