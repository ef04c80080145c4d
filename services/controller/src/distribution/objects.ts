import { createHash } from "node:crypto";
import { z } from "zod";
import { CERTIFICATE_RECORD, certificateRecordOf } from "../../../../mesh/issuing/index.js";
import { CERTIFICATE_END, IDENTITY_TOKEN } from "../../../../mesh/wire.js";
import type { KubernetesApi } from "../kubernetes/api.js";
import { follow, type FollowOptions } from "../kubernetes/follow.js";

const schema = z.object({
  metadata: z.object({
    name: z.string().min(1),
    resourceVersion: z.string().min(1),
    annotations: z.record(z.string(), z.string()).nullish(),
  }),
});

/** What is kept of a ConfigMap. */
interface Known {
  readonly version: string;
  readonly certificateEnd?: string;
  readonly certificateRenewal?: string;
  readonly certificateSerial?: string;
}
/** ConfigMaps that one sidecar reads end like this. */
const SUFFIXES = ["-envoy", "-trust"] as const;
/** As those do, and what an issuer tells of the Secret that it reads. */
const TOLD_SUFFIXES = [...SUFFIXES, certificateRecordOf("")] as const;

/** Who is told of changes. */
export interface ObjectEvents {
  /** What the sidecars of one service read has changed; of every service of the namespace where `service` is undefined. */
  readonly changed: (service: string | undefined) => void;
  readonly failed: (error: unknown) => void;
}

/** The ConfigMaps that the sidecars of one namespace read, by their versions alone: what they hold never comes here. */
export class SidecarObjects {
  private known = new Map<string, Known>();
  private listed = false;

  constructor(
    private readonly api: KubernetesApi,
    readonly namespace: string,
    private readonly events: ObjectEvents,
    private readonly options: FollowOptions = {},
  ) {}

  /** A digest of what the sidecars of a service read now; undefined until everything was listed once. */
  digest(service: string): string | undefined {
    if (!this.listed) {
      return undefined;
    }
    const names = [...SUFFIXES.map((suffix) => service + suffix), IDENTITY_TOKEN.keysConfigMap];
    // Only an issuer's certificates have a record; where Pulumi makes them, `<service>-trust` changes with them.
    const record = certificateRecordOf(service);
    const all = this.known.has(record) ? [...names, record] : names;
    const text = all.map((name) => `${name}=${this.known.get(name)?.version ?? ""}`).join();
    return createHash("sha256").update(text).digest("hex").slice(0, 16);
  }

  /** When the certificate of a service runs out, as it was issued; undefined where that is not said. */
  certificateEnd(service: string): string | undefined {
    return this.pulumisEnd(service) ?? this.issuersRecord(service)?.certificateEnd;
  }

  /** From when on the certificate of a service is made anew by an issuer; undefined where none makes it. */
  certificateRenewal(service: string): string | undefined {
    return this.issuersRecord(service)?.certificateRenewal;
  }

  /** Serial number of the certificate of a service, in lower-case hexadecimal without leading zeros, as an issuer made it; undefined where none did. */
  certificateSerial(service: string): string | undefined {
    return this.issuersRecord(service)?.certificateSerial;
  }

  /** What an issuer says of the certificate of a service; undefined where Pulumi made it, or nobody has. */
  private issuersRecord(service: string): Known | undefined {
    return this.pulumisEnd(service) === undefined ? this.known.get(certificateRecordOf(service)) : undefined;
  }

  /** The end of a certificate that Pulumi made; of one that an issuer made it says nothing. */
  private pulumisEnd(service: string): string | undefined {
    return this.known.get(`${service}-trust`)?.certificateEnd;
  }

  /** Follows the namespace until `signal` is aborted. */
  follow(signal: AbortSignal): Promise<void> {
    const collection = { path: `/api/v1/namespaces/${this.namespace}/configmaps`, metadataOnly: true };
    return follow(
      this.api,
      collection,
      {
        read: parse,
        replaced: (objects) => {
          this.known = new Map(objects);
          this.listed = true;
          this.events.changed(undefined);
        },
        changed: ([name, known]) => {
          this.known.set(name, known);
          this.tell(name);
        },
        deleted: ([name]) => {
          this.known.delete(name);
          this.tell(name);
        },
        failed: this.events.failed,
      },
      signal,
      this.options,
    );
  }

  private tell(name: string): void {
    const suffix = TOLD_SUFFIXES.find((candidate) => name.endsWith(candidate));
    if (name === IDENTITY_TOKEN.keysConfigMap) {
      this.events.changed(undefined);
    } else if (suffix !== undefined) {
      this.events.changed(name.slice(0, -suffix.length));
    }
  }
}

function parse(object: unknown): [name: string, known: Known] {
  const { name, resourceVersion: version, annotations } = schema.parse(object).metadata;
  const [certificateEnd, certificateRenewal] = [
    instantIn(annotations?.[CERTIFICATE_END]),
    instantIn(annotations?.[CERTIFICATE_RECORD.renewal]),
  ];
  const certificateSerial = annotations?.[CERTIFICATE_RECORD.serial];
  return [
    name,
    {
      version,
      ...(certificateEnd === undefined ? {} : { certificateEnd }),
      ...(certificateRenewal === undefined ? {} : { certificateRenewal }),
      ...(certificateSerial === undefined ? {} : { certificateSerial }),
    },
  ];
}

function instantIn(text: string | undefined): string | undefined {
  return text === undefined || Number.isNaN(Date.parse(text)) ? undefined : text;
}
