import { parseYaml } from "../../../envoy/files";
import { Field, Unjudgeable } from "../../../judgement/field";
import type { Plain } from "../../../judgement/plain";
import type { ObjectFinding } from "../../network/model";
import { objectTitle } from "../../network/reading/cluster";
import { presentText, requiredText } from "../../network/reading/fields";
import { TEMPLATE_PATHS } from "../../network/reading/workload";
import type { Roots, Sidecar } from "../model";
import { FILES } from "./form";
import { podSidecarOf } from "./pods";
import { readSidecar } from "./sidecar";
import type { Owner } from "./owner";
import type { SidecarReading } from "./sidecar";
import { tokenDatacenter } from "../tokens";
import { rootsOf } from "./trust";
import type { Provenance } from "./trust";

/** What the objects don't say. */
export interface Knowledge {
  /** Whose roots an unknown trust file will hold; by default nothing is known of it. */
  readonly provenance?: Provenance;
  /** The datacenter that the objects are of, where there are several. */
  readonly datacenter?: string | undefined;
}

export interface MeshReading {
  /** Undefined where something can't be judged: nothing may be concluded from the rest then. */
  readonly sidecars: readonly Sidecar[] | undefined;
  readonly findings: readonly ObjectFinding[];
}

/** A ConfigMap of Consul's clients; no sidecar reads it. */
const FOREIGN_TRUST = /-consul-trust$/;

/**
 * Reads all sidecars from the objects of a mesh: ConfigMaps `<service>-envoy` and `<service>-trust` in namespaces `lucid-<zone>`, the pods that mount them,
 * and the ServiceAccounts that these run as. Other objects are passed over.
 */
export function readMesh(objects: readonly Plain[], knowledge: Knowledge = {}): MeshReading {
  const reader = new Reader(knowledge.provenance ?? (() => undefined), knowledge.datacenter);
  for (const object of objects) reader.add(new Field(object));
  reader.readPods();
  reader.readSidecars();
  const { sidecars, findings } = reader;
  return { sidecars: findings.length === 0 ? sidecars : undefined, findings };
}

/** An object of a zone's namespace. */
interface ZoneObject {
  readonly field: Field;
  readonly type: string;
  readonly zone: string;
  readonly name: string;
  readonly title: string;
}

class Reader {
  readonly findings: ObjectFinding[] = [];
  readonly sidecars: Sidecar[] = [];
  private readonly objects = new Map<string, ZoneObject>();

  constructor(
    private readonly provenance: Provenance,
    private readonly datacenter: string | undefined,
  ) {}

  add(field: Field): void {
    this.judged(objectTitle(field), () => {
      const kind = requiredText(field.at("kind"));
      const type = `${requiredText(field.at("apiVersion"))}/${kind}`;
      if (type === "v1/List") {
        for (const item of field.at("items").items()) this.add(item);
        return;
      }
      const isRead = ["v1/ConfigMap", "v1/ServiceAccount"].includes(type) || Object.hasOwn(TEMPLATE_PATHS, type);
      const namespace = field.at("metadata", "namespace");
      if (!isRead) return;
      const zone = /^lucid-(.+)$/.exec(presentText(namespace))?.[1];
      if (zone === undefined) return;
      const name = requiredText(field.at("metadata", "name"));
      const title = `${kind} lucid-${zone}/${name}`;
      if (this.objects.has(title))
        throw new Unjudgeable("metadata.name", `two objects are ${title}, and one will stand`, "take one out");
      this.objects.set(title, { field, type, zone, name, title });
    });
  }

  /** Each pod with a sidecar reads its own account's files, and there is such an account and such files. */
  readPods(): void {
    for (const { field, type, zone, title } of this.objects.values()) {
      const path = TEMPLATE_PATHS[type];
      if (path === undefined) continue;
      this.judged(title, () => {
        const pod = podSidecarOf(field.at(...path, "spec"));
        if (pod === undefined) return;
        this.findings.push(...pod.findings.map((finding) => ({ object: title, ...finding })));
        // Without an account Kubernetes makes no pod, and of a revoked service none is to be made.
        const isIdle = type === "apps/v1/Deployment" && field.at("spec", "replicas").is(0);
        const account = isIdle ? [] : [`ServiceAccount lucid-${zone}/${pod.account}`];
        for (const needed of [...account, envoyTitle(zone, pod.account)]) {
          if (!this.objects.has(needed))
            throw new Unjudgeable("", `${needed}, by which it runs, isn't among the objects`, "give it as well");
        }
      });
    }
  }

  readSidecars(): void {
    for (const { field, type, zone, name, title } of this.objects.values()) {
      const service = /^(.+)-envoy$/.exec(name)?.[1];
      if (type !== "v1/ConfigMap" || service === undefined || FOREIGN_TRUST.test(name)) continue;
      this.judged(title, () => {
        const data = dataOf(field);
        for (const [file, entry] of data.entries())
          if (!FILES.includes(file) && tokenDatacenter(file) === undefined)
            throw new Unjudgeable(entry.path, "is no file of a sidecar", "take it out");
        const reading = readOnce(data, this.rootsOf(zone, service), {
          zone,
          service,
          title,
          datacenter: this.datacenter,
        });
        this.findings.push(...reading.findings);
        if (reading.sidecar !== undefined) this.sidecars.push(reading.sidecar);
      });
    }
  }

  private rootsOf(zone: string, service: string): ReadonlyMap<string, Roots> {
    const title = `ConfigMap lucid-${zone}/${service}-trust`;
    const found = this.objects.get(title);
    if (found === undefined)
      throw new Unjudgeable("", `${title}, whose roots it trusts, isn't among the objects`, "give it as well");
    let roots: ReadonlyMap<string, Roots> = new Map();
    this.judged(title, () => {
      roots = rootsOf(dataOf(found.field), title, this.provenance);
    });
    return roots;
  }

  private judged(object: string, read: () => void): void {
    try {
      read();
    } catch (error) {
      if (!(error instanceof Unjudgeable)) throw error;
      this.findings.push({ object, path: error.path, problem: error.problem, mend: error.mend });
    }
  }
}

/** Readings of files by the very data that they stand in: plans that differ in a few objects are read one after another. */
const readings = new WeakMap<object, { readonly key: string; readonly reading: SidecarReading }>();

function readOnce(data: Field, roots: ReadonlyMap<string, Roots>, owner: Owner): SidecarReading {
  const read = () =>
    readSidecar(Object.fromEntries(data.entries().map(([file, entry]) => [file, parseYaml(entry)])), roots, owner);
  const { plain } = data;
  if (typeof plain !== "object" || plain === null) return read();
  const trusted = [...roots].map(([zone, { place, certificates }]) => [zone, place, certificates && [...certificates]]);
  const key = JSON.stringify([owner, data.path, trusted]);
  const known = readings.get(plain);
  if (known?.key === key) return known.reading;
  const reading = read();
  readings.set(plain, { key, reading });
  return reading;
}

function envoyTitle(zone: string, service: string): string {
  return `ConfigMap lucid-${zone}/${service}-envoy`;
}

function dataOf(configMap: Field): Field {
  const binary = configMap.at("binaryData");
  if (!binary.isEmpty) throw new Unjudgeable(binary.path, "a sidecar's files are no text", "put them into data");
  return configMap.at("data");
}
