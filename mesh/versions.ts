/** Versions of a service side by side, from the document to the model. */
import type { ServiceVersion, VersionedWorkload, VersionRoute, VersionSplit, VersionWeight } from "./model";
import { compare, sortedKeys } from "./order";
import type { CallDeclaration, ServiceDeclaration, VersionDeclaration } from "./schema";

/** The versions of a service that declares several. @throws RangeError where one has no image: the document was not checked */
export function resolveVersions(
  { name, command, args, env, resources }: ServiceDeclaration,
  declared: readonly VersionDeclaration[],
): VersionedWorkload {
  const versions = declared.map((version): ServiceVersion => {
    if (version.image === undefined) throw new RangeError(`version '${version.name}' of '${name}' has no image`);
    const own = version.command ?? command;
    return {
      name: version.name,
      image: version.image,
      ...(own === undefined ? {} : { command: own }),
      args: version.args ?? args,
      env: sortedKeys(version.env ?? env),
      replicas: version.replicas,
      resources: version.resources ?? resources,
    };
  });
  return { kind: "versions", replicas: versions.reduce((sum, { replicas }) => sum + replicas, 0), versions };
}

/** How a call is shared between the callee's versions: as the call says, or else as the callee does. */
export function splitOf(call: CallDeclaration, callee: ServiceDeclaration): VersionSplit | undefined {
  const { versions } = callee;
  if (versions === undefined) return undefined;
  const weightOf = ({ name, weight }: VersionDeclaration) =>
    call.weights === undefined ? weight : (call.weights[name] ?? 0);
  const weights = versions.flatMap((version): VersionWeight[] => {
    const weight = weightOf(version);
    return weight === undefined ? [] : [{ version: version.name, weight }];
  });
  const routes = (call.routes ?? callee.routes ?? []).map(({ version, methods, paths, headers }): VersionRoute => ({
    version,
    methods: [...(methods ?? [])].sort(compare),
    paths: [...(paths ?? [])].sort(compare),
    headers: sortedKeys(headers ?? {}),
  }));
  return weights.length === 0 && routes.length === 0 ? undefined : { routes, weights };
}
