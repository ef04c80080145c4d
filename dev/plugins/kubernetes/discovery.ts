import type { ApiClient } from "./api-client";
import { isNotFound, NoSuchKind } from "./api-error";
import { apiVersion, builtInScope, type GroupVersionKind, isCustomResourceDefinition, kindOfObject } from "./kinds";
import { type KubeObject, namespaceOf, objectsAt, textAt } from "./objects";

/** Where objects of a kind lie. */
export interface ApiResource {
  /** `/api/v1` or `/apis/<group>/<version>`. */
  readonly base: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

/** The path of a kind's objects in a namespace, and of one of them when it is named. */
export function resourcePath(resource: ApiResource, namespace: string, name = ""): string {
  const scope = resource.namespaced ? `/namespaces/${encodeURIComponent(namespace || "default")}` : "";
  return `${resource.base}${scope}/${resource.plural}${name === "" ? "" : `/${encodeURIComponent(name)}`}`;
}

/** Which kinds the API server serves, asked one group at a time and kept. */
export class Discovery {
  private readonly groups = new Map<string, Promise<ReadonlyMap<string, ApiResource>>>();

  constructor(private readonly api: ApiClient) {}

  /** Asks for the core group, which every user who is let in may read. Throws where no answer comes within `timeout` ms. */
  async probe(timeout: number): Promise<void> {
    const core = this.fetchGroup("v1", timeout);
    await core;
    this.groups.set("v1", core);
  }

  /** The kind's place; `undefined` where the server doesn't serve it. */
  async find(gvk: GroupVersionKind): Promise<ApiResource | undefined> {
    const known = (await this.group(apiVersion(gvk))).get(gvk.kind);
    if (known !== undefined) {
      return known;
    }
    // The definition may have come since the group was asked for.
    this.groups.delete(apiVersion(gvk));
    return (await this.group(apiVersion(gvk))).get(gvk.kind);
  }

  /** The path of an object, or of the list that it is created in (`name` ""). Throws {@link NoSuchKind}. */
  async path(object: KubeObject, name: string, namespace = namespaceOf(object)): Promise<string> {
    const gvk = kindOfObject(object);
    const resource = await this.find(gvk);
    if (resource === undefined) {
      throw new NoSuchKind(gvk);
    }
    return resourcePath(resource, namespace, name);
  }

  private group(version: string): Promise<ReadonlyMap<string, ApiResource>> {
    const known = this.groups.get(version);
    if (known !== undefined) {
      return known;
    }
    const asked = this.fetchGroup(version);
    this.groups.set(version, asked);
    asked.catch(() => this.groups.delete(version));
    return asked;
  }

  private async fetchGroup(version: string, timeout?: number): Promise<ReadonlyMap<string, ApiResource>> {
    const base = version.includes("/") ? `/apis/${version}` : `/api/${version}`;
    try {
      const list = await this.api.send({ method: "GET", path: base, timeout });
      return new Map(
        objectsAt(list, "resources")
          // A name with a slash is a part of an object, such as its status.
          .filter((resource) => !textAt(resource, "name").includes("/"))
          .map((resource) => [
            textAt(resource, "kind"),
            { base, plural: textAt(resource, "name"), namespaced: resource.namespaced === true },
          ]),
      );
    } catch (error) {
      if (isNotFound(error)) {
        return new Map();
      }
      throw error;
    }
  }
}

/** Whether kinds lie in namespaces, known without asking: built-in ones, and those whose definition this program declares. */
export class Scopes {
  private readonly declared = new Map<string, boolean>();

  /** Remembers what a CustomResourceDefinition declares. */
  learn(object: KubeObject): void {
    if (isCustomResourceDefinition(object)) {
      const key = `${textAt(object, "spec", "group")}/${textAt(object, "spec", "names", "kind")}`;
      this.declared.set(key, textAt(object, "spec", "scope") === "Namespaced");
    }
  }

  /**
   * Whether objects of the kind lie in a namespace. A kind that neither the program nor the cluster knows is taken for a namespaced
   * one, as the official provider takes it.
   */
  async isNamespaced(gvk: GroupVersionKind, discovery: Discovery | undefined): Promise<boolean> {
    const scope = builtInScope(gvk);
    if (scope !== undefined) {
      return scope === "namespaced";
    }
    const declared = this.declared.get(`${gvk.group}/${gvk.kind}`);
    if (declared !== undefined) {
      return declared;
    }
    const found = await discovery?.find(gvk).catch(() => undefined);
    return found?.namespaced ?? true;
  }
}
