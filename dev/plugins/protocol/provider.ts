/**
 * What a provider stand-in implements; `serve()` of server.ts does the rest of Pulumi's provider protocol.
 *
 *   // dev/plugins/<name>/main.ts
 *   import { serve } from "../protocol/server";
 *   serve({ name: "random", version: "4.21.2", configKeys: [], configure: async () => {}, resources: { "random:index/randomId:RandomId": randomId } });
 *
 * - Property values are plain JavaScript with marker classes (values.ts): `UNKNOWN` (test with `isUnknown` /
 *   `containsUnknowns`) and `Secret` (`new Secret(x)`; `reveal(props)` takes secrets off at every depth; `markSecrets(outputs,
 *   inputs, [names])` puts them back). Secrets come in wrapped, and what goes out wrapped is stored encrypted.
 * - `check` gets the program's inputs and returns them with defaults; its failures stop the run. During previews `news` may hold
 *   unknowns.
 * - `diff` compares old outputs/inputs with the new inputs. Give `detailedDiff`; `changes`, `replaces` and `diffs` follow from it.
 * - `create`/`update` are called at previews too (`context.preview`): touch nothing, return what is certain and `UNKNOWN` for the rest.
 *   An object that was made but did not become ready: throw `new InitializationFailure(id, outputs, reasons)`; it is stored, and
 *   the run fails.
 * - `read` returns `undefined` when the object is gone. Without `read`, a refresh keeps the state as it is.
 * - `context.signal` is aborted when the user cancels; `context.timeoutSeconds` is 0 where none was asked for;
 *   `context.log("warning", "…")` shows a line in the run's output.
 * - A provider with one implementation for all types gives `resource(token)` in place of, or beside, `resources`.
 *   Types and functions in neither are refused by name.
 * - A provider whose configuration isn't known yet at preview is not configured and none of its resources is asked about (the
 *   engine does that by itself): whatever `configure` gets is known.
 */
import type { ConfigValues } from "./config";
import type { Properties, Value } from "./values";

/** One input that is wrong: `property` is its path, `reason` what is wrong and how to mend it. */
export interface CheckFailure {
  readonly property: string;
  readonly reason: string;
}

export interface CheckResult {
  readonly inputs: Properties;
  readonly failures: readonly CheckFailure[];
}

export type LogSeverity = "debug" | "info" | "warning" | "error";

/** What is known of the operation besides the values. */
export interface OperationContext {
  readonly urn: string;
  /** Type token, such as `random:index/randomId:RandomId`. */
  readonly type: string;
  /** The resource's name in the program, the last part of its URN. */
  readonly name: string;
  /** Whether nothing may be touched; true in `create` and `update` of a preview, and in its `invoke`s. */
  readonly preview: boolean;
  /** Seconds that the program's `customTimeouts` allow; 0 when it doesn't say. */
  readonly timeoutSeconds: number;
  /** Aborted when the run is cancelled. */
  readonly signal: AbortSignal;
  /** Shows a line in the run's output, under this resource. */
  log(severity: LogSeverity, message: string): void;
}

/** How one property differs; `-replace` says that only a new object can have the new value. */
export type PropertyDiffKind = "add" | "add-replace" | "delete" | "delete-replace" | "update" | "update-replace";

export interface PropertyDiff {
  readonly kind: PropertyDiffKind;
  /** Whether old and new inputs differ; otherwise the old output and the new input do. Default false. */
  readonly inputDiff?: boolean;
}

export interface DiffResult {
  /** Differences by property path (`subject.commonName`, `uris[0]`, `data["a.yaml"]`). */
  readonly detailedDiff?: Readonly<Record<string, PropertyDiff>>;
  /** Whether anything changes. Default: whether `detailedDiff` or `replaces` has an entry. */
  readonly changes?: boolean;
  /** Top-level properties that make a replacement necessary. Default: those of the `-replace` entries. */
  readonly replaces?: readonly string[];
  /** Properties that no update changes: the engine then knows them at preview. */
  readonly stables?: readonly string[];
  /** The old object must go before the new one can be. Default false. */
  readonly deleteBeforeReplace?: boolean;
}

export interface CheckRequest {
  readonly news: Properties;
  /** Inputs of the last deployment, checked; empty when there was none. */
  readonly olds: Properties;
  /** For generated names: the same within one run. */
  readonly randomSeed: Uint8Array;
  readonly context: OperationContext;
}

export interface DiffRequest {
  readonly id: string;
  /** Outputs of the last deployment. */
  readonly olds: Properties;
  /** Inputs of the last deployment. */
  readonly oldInputs: Properties;
  /** New inputs, checked. */
  readonly news: Properties;
  readonly ignoreChanges: readonly string[];
  readonly context: OperationContext;
}

export interface CreateRequest {
  readonly inputs: Properties;
  readonly context: OperationContext;
}

export interface CreateResult {
  /** Ignored at preview; may be "" there. */
  readonly id: string;
  readonly outputs: Properties;
}

export interface ReadRequest {
  readonly id: string;
  /** Outputs of the last deployment; empty for an import. */
  readonly outputs: Properties;
  /** Inputs of the last deployment; empty for an import. */
  readonly inputs: Properties;
  readonly context: OperationContext;
}

export interface ReadResult {
  readonly id: string;
  readonly outputs: Properties;
  /** The inputs that would make what is there. Default: the inputs that were handed in. */
  readonly inputs?: Properties;
}

export interface UpdateRequest {
  readonly id: string;
  readonly olds: Properties;
  readonly oldInputs: Properties;
  readonly news: Properties;
  readonly ignoreChanges: readonly string[];
  readonly context: OperationContext;
}

export interface DeleteRequest {
  readonly id: string;
  readonly outputs: Properties;
  readonly inputs: Properties;
  readonly context: OperationContext;
}

/** The life of one resource type. */
export interface ResourceImplementation {
  check(request: CheckRequest): Promise<CheckResult>;
  diff(request: DiffRequest): Promise<DiffResult>;
  create(request: CreateRequest): Promise<CreateResult>;
  /** `undefined`: the object is no more. */
  read?(request: ReadRequest): Promise<ReadResult | undefined>;
  /** Needed only where `diff` ever answers a change without replacement. Returns the new outputs. */
  update?(request: UpdateRequest): Promise<Properties>;
  /** Absent where there is nothing outside the state to delete. */
  delete?(request: DeleteRequest): Promise<void>;
}

/** A function of the package (an invoke); `args` may hold secrets and, at preview, unknowns. */
export type FunctionImplementation = (args: Properties, context: InvokeContext) => Promise<Properties>;

export type InvokeContext = Pick<OperationContext, "preview" | "signal" | "log">;

/** One provider. */
export interface ProviderImplementation {
  /** Package name, such as `tls`. */
  readonly name: string;
  /** Version of the official plugin in whose place this stands: that of the installed SDK. */
  readonly version: string;
  /** Names that the provider's arguments may have; others are refused. */
  readonly configKeys: readonly string[];
  /** Further checks of the configuration, on top of its names. */
  checkConfig?(news: Properties): Promise<readonly CheckFailure[]>;
  /** Configuration keys whose change replaces the provider and all of its resources. Default: none does. */
  readonly configReplaceKeys?: readonly string[];
  /** In place of `configReplaceKeys`, where the rule is more than a list. */
  diffConfig?(olds: Properties, news: Properties): Promise<DiffResult>;
  /** Called once, before any resource. Errors here end the run. */
  configure(config: ConfigValues): Promise<void>;
  /** Implementations by type token. */
  readonly resources?: Readonly<Record<string, ResourceImplementation>>;
  /** For types not named in `resources`; `undefined` refuses the type. */
  resource?(token: string): ResourceImplementation | undefined;
  /** Functions by token, such as `consul:index/getAclTokenSecretId:getAclTokenSecretId`. */
  readonly functions?: Readonly<Record<string, FunctionImplementation>>;
}

/** The object exists, but did not become what was asked for: it is stored, the run fails, the next run updates it. */
export class InitializationFailure extends Error {
  constructor(
    readonly id: string,
    readonly outputs: Properties,
    readonly reasons: readonly string[],
    /** Inputs to store in place of those that were sent. */
    readonly inputs?: Properties,
  ) {
    super(reasons.join("; "));
    this.name = "InitializationFailure";
  }
}

/** A value that an implementation leaves out: `undefined` members of an object literal are not sent. */
export function present(properties: Readonly<Record<string, Value | undefined>>): Properties {
  return Object.fromEntries(
    Object.entries(properties).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
}
