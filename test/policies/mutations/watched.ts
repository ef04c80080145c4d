/** Which fields of resources a judge looks at. */
import type { Plain } from "../../../policies/judgement/plain";
import type { Spec } from "./plan";
import type { Path } from "./place";

/**
 * Records every read of resources' inputs. A judge is a function of what it reads: where it did not read a field, that field can be anything and its verdict
 * stays what it is.
 */
export class Watch {
  private readonly reads = new Set<string>();

  /** The same resource, with every read of its inputs recorded. */
  watched(spec: Spec): Spec {
    return { ...spec, inputs: this.wrapped(spec.inputs, spec.urn) as Spec["inputs"] };
  }

  /** Whether a change of what stands at a path could be seen: it, or what it is an element or a key of as a whole, was read. */
  sees(urn: string, path: Path): boolean {
    // A resource's properties as a whole are read by whoever reads anything of it.
    if (path.length === 0) return true;
    const place = [urn, ...path].join("\n");
    const container = [urn, ...path.slice(0, -1)].join("\n");
    return this.reads.has(place) || this.reads.has(`${container}\n*`);
  }

  private wrapped(value: Plain, place: string): Plain {
    if (typeof value !== "object" || value === null) return value;
    return new Proxy(value, {
      get: (target, key) => {
        const field = Reflect.get(target, key) as Plain;
        if (typeof key === "symbol" || typeof field === "function") return field;
        const at = `${place}\n${key}`;
        this.reads.add(at);
        return this.wrapped(field, at);
      },
      has: (target, key) => {
        this.reads.add(`${place}\n${String(key)}`);
        return Reflect.has(target, key);
      },
      getOwnPropertyDescriptor: (target, key) => {
        this.reads.add(`${place}\n${String(key)}`);
        return Reflect.getOwnPropertyDescriptor(target, key);
      },
      ownKeys: (target) => {
        this.reads.add(`${place}\n*`);
        return Reflect.ownKeys(target);
      },
    });
  }
}
