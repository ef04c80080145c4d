import type { Callback } from "@pulumi/pulumi/proto/callback_pb";
import {
  RegisterPackageResponse,
  RegisterResourceResponse,
  SupportsFeatureResponse,
} from "@pulumi/pulumi/proto/resource_pb";
import type {
  RegisterResourceRequest,
  ResourceInvokeRequest,
  ReadResourceRequest,
  SupportsFeatureRequest,
} from "@pulumi/pulumi/proto/resource_pb";
import { RehearsedResource, plainInputs } from "./resource";
import { transformed } from "./transforms";
import type { Properties } from "./transforms";

type Done<T> = (error: Error | null, answer?: T) => void;

/** Values go over the wire plainly: nothing of them is stored, and the proof is to see them. */
const UNSUPPORTED: ReadonlySet<string> = new Set(["secrets", "resourceReferences", "outputValues"]);

/**
 * Stands where the engine's resource monitor stands, and answers like one that previews: it makes nothing, gives back what it was sent, and every other
 * output is unknown. Transforms run as in the engine: a resource's own, then those of its parents, then the stack's.
 */
export class Recorder {
  readonly resources: RehearsedResource[] = [];
  /** Rejects with the first that it could not answer. What waits for such an answer waits for ever. */
  readonly failed: Promise<never>;

  private reject: (error: Error) => void = () => undefined;
  private readonly byUrn = new Map<string, RehearsedResource>();
  private readonly parents = new Map<string, string>();
  private readonly transforms = new Map<string, readonly Callback[]>();
  private readonly stackTransforms: Callback[] = [];

  constructor(
    private readonly project: string,
    private readonly stack: string,
  ) {
    this.failed = new Promise<never>((_, reject) => (this.reject = reject));
    this.failed.catch(() => undefined);
  }

  supportsFeature(request: SupportsFeatureRequest, done: Done<SupportsFeatureResponse>): void {
    done(null, new SupportsFeatureResponse().setHassupport(!UNSUPPORTED.has(request.getId())));
  }

  registerPackage(_: unknown, done: Done<RegisterPackageResponse>): void {
    done(null, new RegisterPackageResponse().setRef("rehearsed"));
  }

  registerStackTransform(callback: Callback, done: Done<never>): void {
    this.stackTransforms.push(callback);
    done(null);
  }

  /** Invokes make nothing, so what transforms them is no matter. */
  registerStackInvokeTransform(_: unknown, done: Done<never>): void {
    done(null);
  }

  /** Hooks run around what an engine does to a resource; nothing is done to one here. */
  registerResourceHook(_: unknown, done: Done<never>): void {
    done(null);
  }

  registerErrorHook(_: unknown, done: Done<never>): void {
    done(null);
  }

  registerResource(request: RegisterResourceRequest, done: Done<RegisterResourceResponse>): void {
    this.register(request).then(
      (answer) => done(null, answer),
      (error: unknown) => this.fail(error instanceof Error ? error : new Error(String(error)), done),
    );
  }

  registerResourceOutputs(_: unknown, done: Done<never>): void {
    done(null);
  }

  invoke(request: ResourceInvokeRequest, done: Done<never>): void {
    this.fail(
      new Error(`the program asks ${request.getTok()} before it is proven: ask it before, and hand the answer in`),
      done,
    );
  }

  readResource(request: ReadResourceRequest, done: Done<never>): void {
    this.fail(
      new Error(
        `the program reads ${request.getType()} ${request.getName()} before it is proven: read it before, and hand it in`,
      ),
      done,
    );
  }

  private async register(request: RegisterResourceRequest): Promise<RegisterResourceResponse> {
    const [type, name] = [request.getType(), request.getName()];
    if (request.getRemote())
      throw new Error(`${type} ${name} is a remote component: what it would make can't be told before it does`);
    const urn = this.urnOf(request);
    this.parents.set(urn, request.getParent());
    this.transforms.set(urn, request.getTransformsList());
    const properties = await this.transformed(request, urn);
    const sources = new Map<string, readonly string[]>();
    request.getPropertydependenciesMap().forEach((from, property) => sources.set(property, from.getUrnsList()));
    const inputs = plainInputs(properties?.toJavaScript() ?? {});
    const resource = new RehearsedResource(urn, type, name, inputs, sources, (source) => this.byUrn.get(source));
    this.resources.push(resource);
    this.byUrn.set(urn, resource);
    return new RegisterResourceResponse().setUrn(urn).setObject(properties);
  }

  private async transformed(request: RegisterResourceRequest, urn: string): Promise<Properties | undefined> {
    const callbacks = [...this.transformsFrom(urn), ...this.stackTransforms];
    let properties = request.getObject();
    for (const callback of callbacks) {
      if (properties !== undefined) properties = await transformed(callback, request, properties);
    }
    return properties;
  }

  private transformsFrom(urn: string): Callback[] {
    const parent = this.parents.get(urn);
    return [
      ...(this.transforms.get(urn) ?? []),
      ...(parent === undefined || parent === "" ? [] : this.transformsFrom(parent)),
    ];
  }

  private urnOf(request: RegisterResourceRequest): string {
    const parentTypes = request.getParent().split("::")[2] ?? "";
    const isBelowStack = parentTypes === "" || parentTypes === "pulumi:pulumi:Stack";
    const type = isBelowStack ? request.getType() : `${parentTypes}$${request.getType()}`;
    return `urn:pulumi:${this.stack}::${this.project}::${type}::${request.getName()}`;
  }

  private fail(error: Error, done: Done<never>): void {
    this.reject(error);
    done(error);
  }
}
