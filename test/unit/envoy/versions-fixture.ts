import { resolveMesh, validateDocument } from "../../../mesh";
import type { Mesh } from "../../../mesh/model";

/** What the document of {@link versionsMesh} may say otherwise. */
export interface VersionsDocument {
  /** Versions of `shop`: weight by name, undefined for none. */
  readonly versions?: Readonly<Record<string, number | undefined>>;
  readonly routes?: readonly object[];
  /** More keys of the call of `console`. */
  readonly call?: object;
}

const STABLE_AND_CANARY = { stable: 90, canary: 10 };
const CANARY_BY_HEADER = [
  { version: "canary", headers: { "x-canary": "yes" } },
  { version: "canary", methods: ["POST", "PUT"], paths: ["/v2/*", "/next"] },
];

/** A document in which `console` calls all ports of `shop`, which has versions side by side. */
export function versionsMesh(changes: VersionsDocument = {}): Mesh {
  const { versions = STABLE_AND_CANARY, routes = CANARY_BY_HEADER, call = {} } = changes;
  const image = "fortio/fortio:1.66.2";
  return resolveMesh(
    validateDocument({
      apiVersion: "mesh.lucid.internal/v1",
      zones: { ops: { members: ["console", "shop"] } },
      services: [
        {
          name: "console",
          plane: "ops",
          image,
          ports: [{ name: "http", port: 8080 }],
          calls: [
            { service: "shop", ...call },
            { service: "shop", ports: ["feed"] },
          ],
        },
        {
          name: "shop",
          plane: "ops",
          ports: [
            { name: "http", port: 8080 },
            { name: "feed", port: 8333, protocol: "tcp", dialPort: 8333 },
          ],
          versions: Object.entries(versions).map(([name, weight]) => ({
            name,
            image,
            ...(weight === undefined ? {} : { weight }),
          })),
          ...(routes.length === 0 ? {} : { routes }),
        },
      ],
    }),
  );
}
