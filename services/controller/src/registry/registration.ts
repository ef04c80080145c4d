import { MAX_VERSION_NAME, versionTag } from "../../../../mesh/names.js";
import type { ZoneName } from "../../../../mesh/model.js";

/** One instance of a service as it should stand in the registry. */
export interface Registration {
  readonly zone: ZoneName;
  /** Name of the pod: the instance's id. */
  readonly pod: string;
  /** UID of the pod: tells a StatefulSet's pod from its predecessor of the same name. */
  readonly uid: string;
  readonly service: string;
  /** Pod IP. */
  readonly address: string;
  /** Empty where the pod names none. */
  readonly version: string;
  /** Only ready instances are resolved. */
  readonly ready: boolean;
}

/** The name of a version as the document declares it: a DNS label of its own. */
const VERSION_NAME = new RegExp(`^[a-z0-9]([a-z0-9-]{0,${String(MAX_VERSION_NAME - 2)}}[a-z0-9])?$`);

/** The tag by which callers look up the instances of one version; none for `1.4.2`, which is no DNS label, and no version that a document declares. */
export function versionTagOf({ version }: Pick<Registration, "version">): string | undefined {
  return VERSION_NAME.test(version) ? versionTag(version) : undefined;
}

/** What an instance is tagged with: its plane, its version, and itself. */
export function tagsOf(registration: Registration): readonly string[] {
  const { zone, pod, version } = registration;
  const tag = versionTagOf(registration);
  return [
    `zone=${zone}`,
    ...(version === "" ? [] : [`version=${version}`]),
    ...(tag === undefined ? [] : [tag]),
    `instance=${pod}`,
  ];
}
