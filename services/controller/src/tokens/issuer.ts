import { z } from "zod";
import type { TokenIssuer } from "../../../../envoy/identity/token-keys.js";
import type { KubernetesApi } from "../kubernetes/api.js";

/** Where the API server tells who issues its service-account tokens (OpenID Connect Discovery 1.0); every service account may read both. */
const DISCOVERY = "/.well-known/openid-configuration";
const KEYS = "/openid/v1/jwks";

const discoverySchema = z.object({ issuer: z.string().min(1) });
/** Only what makes a public key: a private part is dropped unread, whoever put it there. */
const keySchema = z.discriminatedUnion("kty", [
  z.object({ kty: z.literal("RSA"), n: z.string().min(1), e: z.string().min(1), ...common() }),
  z.object({ kty: z.literal("EC"), crv: z.string(), x: z.string().min(1), y: z.string().min(1), ...common() }),
  z.object({ kty: z.literal("OKP"), crv: z.literal("Ed25519"), x: z.string().min(1), ...common() }),
]);
const keysSchema = z.object({ keys: z.array(z.unknown()) });

function common() {
  return { kid: z.string().optional(), alg: z.string().optional(), use: z.string().optional() };
}

/**
 * Who issues the cluster's service-account tokens, with its present public keys, sorted by their ids: the same keys are always the same text.
 *
 * @throws as `KubernetesApi.get`; Error where the answer names no issuer or holds no key that a sidecar can use
 */
export async function readIssuer(api: Pick<KubernetesApi, "get">, signal: AbortSignal): Promise<TokenIssuer> {
  const { issuer } = discoverySchema.parse(await api.get(DISCOVERY, signal));
  const { keys } = keysSchema.parse(await api.get(KEYS, signal));
  const usable = keys.flatMap((key) => {
    const parsed = keySchema.safeParse(key);
    return parsed.success ? [parsed.data] : [];
  });
  if (usable.length === 0) {
    // Written, it would end every call of the mesh.
    throw new Error(`${KEYS} holds ${String(keys.length)} keys, none of which a sidecar can use; the last ones stay`);
  }
  const sorted = usable.sort((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1));
  return { issuer, jwks: JSON.stringify({ keys: sorted }) };
}
