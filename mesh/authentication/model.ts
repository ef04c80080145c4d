/** Part of the resolved mesh: who proves himself how, beside the certificate that every caller has. */

/** Whose end users a port serves. */
export interface EndUsers {
  /** The claim `iss` of their tokens, exactly. */
  readonly issuer: string;
  /** A token's `aud` must hold one of these; never empty. */
  readonly audiences: readonly [string, ...string[]];
  /** JSON Web Key Set with public keys alone, on one line. */
  readonly keySet: string;
  readonly token: TokenPlace;
  /** Whether the application gets the token as it came. */
  readonly forwardToken: boolean;
  /** Whether the application gets the verified claims in a header. */
  readonly forwardClaims: boolean;
  /** Tolerated difference of clocks, in seconds. */
  readonly clockSkewSeconds: number;
  /** What every token must say; all of it. */
  readonly claims: readonly ClaimRequirement[];
  /** Exceptions; the first that fits a request decides. */
  readonly rules: readonly EndUserRule[];
}

/** Where a request has its token: after `Bearer` in `Authorization`, alone in a header, or in a cookie. */
export type TokenPlace =
  | { readonly kind: "bearer" }
  | { readonly kind: "header"; readonly name: string }
  | { readonly kind: "cookie"; readonly name: string };

/** A claim that must have one of some values. */
export interface ClaimRequirement {
  /** Keys from the token's top down to the claim. */
  readonly path: readonly [string, ...string[]];
  /** Never empty. */
  readonly values: readonly string[];
}

/** What some requests need instead of what all others do. */
export interface EndUserRule {
  /** HTTP methods, upper case; empty: any. */
  readonly methods: readonly string[];
  /** Paths as in the rules of an edge; empty: any. */
  readonly paths: readonly string[];
  /** No token is needed, and none is looked at. */
  readonly anonymous: boolean;
  /** What the token must say beside the port's own claims. */
  readonly claims: readonly ClaimRequirement[];
}

/** The service that answers for callers and their certificates (cluster 09). */
export interface Authenticator {
  readonly service: string;
  /** Name of its port, which speaks gRPC. */
  readonly port: string;
  /** Milliseconds after which an answer counts as none. */
  readonly timeoutMs: number;
  /** Request headers that are shown to it, lower case. */
  readonly headers: readonly string[];
}
