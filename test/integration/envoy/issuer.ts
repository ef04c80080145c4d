import { generateKeyPairSync, randomUUID, sign, type KeyObject } from "node:crypto";
import type { TokenIssuer } from "../../../envoy";
import type { Service } from "../../../mesh/model";
import { IDENTITY_TOKEN } from "../../../mesh/wire";

/** What a token says where it differs from kubelet's. */
export interface Claims {
  readonly audience?: string;
  /** Seconds from now to its end; negative for one that is over. */
  readonly lifetime?: number;
  readonly issuer?: string;
  /** Name of the pod that it was issued to. */
  readonly pod?: string;
}

interface Key {
  readonly id: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** Issues service-account tokens as the API server does (RS256), and can take a new key. */
export class Issuer {
  private keys: Key[] = [newKey()];

  constructor(private readonly name = "https://kubernetes.default.svc.cluster.local") {}

  /** What the controller would mirror: the issuer and every key that may still have signed a living token. */
  get published(): TokenIssuer {
    const keys = this.keys.map(({ id, publicKey }) => ({
      ...publicKey.export({ format: "jwk" }),
      kid: id,
      alg: "RS256",
      use: "sig",
    }));
    return { issuer: this.name, jwks: JSON.stringify({ keys }) };
  }

  /** Signs with a new key from now on; the old ones stay published until {@link forgetOldKeys}. */
  rotate(): void {
    this.keys.unshift(newKey());
  }

  forgetOldKeys(): void {
    this.keys = this.keys.slice(0, 1);
  }

  /** The token that kubelet would give a pod of this service. */
  issue(service: Pick<Service, "name" | "namespace">, claims: Claims = {}): string {
    const now = Math.floor(Date.now() / 1000);
    const end = now + (claims.lifetime ?? IDENTITY_TOKEN.lifetimeSeconds);
    const begin = Math.min(now, end - IDENTITY_TOKEN.lifetimeSeconds);
    const [key] = this.keys;
    const head = { alg: "RS256", kid: key?.id };
    const payload = {
      aud: [claims.audience ?? IDENTITY_TOKEN.audience],
      exp: end,
      iat: begin,
      nbf: begin,
      iss: claims.issuer ?? this.name,
      jti: randomUUID(),
      "kubernetes.io": {
        namespace: service.namespace,
        pod: { name: claims.pod ?? `${service.name}-0`, uid: randomUUID() },
        serviceaccount: { name: service.name, uid: randomUUID() },
      },
      sub: `system:serviceaccount:${service.namespace}:${service.name}`,
    };
    const text = [head, payload].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
    const signature = key === undefined ? "" : sign("sha256", Buffer.from(text), key.privateKey).toString("base64url");
    return `${text}.${signature}`;
  }
}

function newKey(): Key {
  return { id: randomUUID(), ...generateKeyPairSync("rsa", { modulusLength: 2048 }) };
}
