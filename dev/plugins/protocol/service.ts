import { type ServiceError, status } from "@grpc/grpc-js";
import type { IResourceProviderServer } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import * as messages from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";

import { ConfigValues } from "./config";
import { configDiff, diffResponse } from "./diff";
import type { EngineLink } from "./engine";
import { serviceError } from "./errors";
import type {
  CheckFailure,
  FunctionImplementation,
  OperationContext,
  ProviderImplementation,
  ResourceImplementation,
} from "./provider";
import { unary } from "./unary";
import type { Properties } from "./values";
import { fromWire, toWire } from "./wire";

/** Arguments that every provider may be given; they concern the engine, not the plugin. */
const ENGINE_KEYS: readonly string[] = ["version", "pluginDownloadURL"];

/** The provider protocol, spoken for one implementation. */
export function providerService(provider: ProviderImplementation, engine: EngineLink): IResourceProviderServer {
  const cancellation = new AbortController();

  const contextOf = (request: Identified, preview = false, timeoutSeconds = 0): OperationContext => ({
    urn: request.getUrn(),
    type: typeOf(request.getUrn()),
    name: request.getUrn().split("::").at(-1) ?? "",
    preview,
    timeoutSeconds,
    signal: cancellation.signal,
    log: (severity, message) => {
      engine.log(severity, message, request.getUrn());
    },
  });

  const implementationOf = (request: Identified): ResourceImplementation => {
    const type = typeOf(request.getUrn());
    const implementation = provider.resources?.[type] ?? provider.resource?.(type);
    if (implementation === undefined) {
      throw new Error(notProvided(provider, `resource type ${type}`));
    }
    return implementation;
  };

  const unimplemented = (name: string) => (_call: unknown, callback: (error: ServiceError) => void) => {
    callback(serviceError(status.UNIMPLEMENTED, notProvided(provider, name)));
  };

  return {
    handshake: unimplemented("Handshake"),
    parameterize: unimplemented("Parameterize"),
    call: unimplemented("Call"),
    construct: unimplemented("Construct"),
    getMapping: unimplemented("GetMapping"),
    getMappings: unimplemented("GetMappings"),

    getPluginInfo: unary(() => {
      const response = new PluginInfo();
      response.setVersion(provider.version);
      return response;
    }),

    getSchema: unary(() => {
      // The schema is that of the installed SDK; programs in TypeScript don't ask for it.
      const response = new messages.GetSchemaResponse();
      response.setSchema(JSON.stringify({ name: provider.name, version: provider.version }));
      return response;
    }),

    attach: unary((request: { getAddress(): string }) => {
      engine.attach(request.getAddress());
      return new Empty();
    }),

    cancel: unary(() => {
      cancellation.abort();
      return new Empty();
    }),

    checkConfig: unary(async (request: messages.CheckRequest) => {
      const news = fromWire(request.getNews());
      const failures = unknownConfigKeys(provider, news);
      return checkResponse(news, [...failures, ...((await provider.checkConfig?.(news)) ?? [])]);
    }),

    diffConfig: unary(async (request: messages.DiffRequest) => {
      const olds = fromWire(request.getOldInputs() ?? request.getOlds());
      const news = fromWire(request.getNews());
      return diffResponse(
        await (provider.diffConfig?.(olds, news) ?? configDiff(olds, news, provider.configReplaceKeys ?? [])),
      );
    }),

    configure: unary(async (request: messages.ConfigureRequest) => {
      await provider.configure(new ConfigValues(fromWire(request.getArgs())));
      const response = new messages.ConfigureResponse();
      response.setAcceptsecrets(true);
      response.setAcceptresources(true);
      response.setAcceptoutputs(false);
      response.setSupportspreview(true);
      return response;
    }),

    check: unary(async (request: messages.CheckRequest) => {
      const { inputs, failures } = await implementationOf(request).check({
        news: fromWire(request.getNews()),
        olds: fromWire(request.getOlds()),
        randomSeed: request.getRandomseed_asU8(),
        context: contextOf(request),
      });
      return checkResponse(inputs, failures);
    }),

    diff: unary(async (request: messages.DiffRequest) =>
      diffResponse(
        await implementationOf(request).diff({
          id: request.getId(),
          olds: fromWire(request.getOlds()),
          oldInputs: fromWire(request.getOldInputs()),
          news: fromWire(request.getNews()),
          ignoreChanges: request.getIgnorechangesList(),
          context: contextOf(request),
        }),
      ),
    ),

    create: unary(async (request: messages.CreateRequest) => {
      const { id, outputs } = await implementationOf(request).create({
        inputs: fromWire(request.getProperties()),
        context: contextOf(request, request.getPreview(), request.getTimeout()),
      });
      const response = new messages.CreateResponse();
      response.setId(id);
      response.setProperties(toWire(outputs));
      return response;
    }),

    read: unary(async (request: messages.ReadRequest) => {
      const inputs = fromWire(request.getInputs());
      const outputs = fromWire(request.getProperties());
      const implementation = implementationOf(request);
      const found =
        implementation.read === undefined
          ? { id: request.getId(), outputs, inputs }
          : await implementation.read({ id: request.getId(), outputs, inputs, context: contextOf(request) });
      const response = new messages.ReadResponse();
      // An empty id is how the protocol says that the object is no more.
      response.setId(found?.id ?? "");
      response.setProperties(toWire(found?.outputs ?? {}));
      response.setInputs(toWire(found === undefined ? {} : (found.inputs ?? inputs)));
      return response;
    }),

    update: unary(async (request: messages.UpdateRequest) => {
      const implementation = implementationOf(request);
      if (implementation.update === undefined) {
        throw new Error(notProvided(provider, `update of ${typeOf(request.getUrn())}`));
      }
      const outputs = await implementation.update({
        id: request.getId(),
        olds: fromWire(request.getOlds()),
        oldInputs: fromWire(request.getOldInputs()),
        news: fromWire(request.getNews()),
        ignoreChanges: request.getIgnorechangesList(),
        context: contextOf(request, request.getPreview(), request.getTimeout()),
      });
      const response = new messages.UpdateResponse();
      response.setProperties(toWire(outputs));
      return response;
    }),

    delete: unary(async (request: messages.DeleteRequest) => {
      await implementationOf(request).delete?.({
        id: request.getId(),
        outputs: fromWire(request.getProperties()),
        inputs: fromWire(request.getOldInputs()),
        context: contextOf(request, false, request.getTimeout()),
      });
      return new Empty();
    }),

    invoke: unary(async (request: messages.InvokeRequest) => {
      const implementation: FunctionImplementation | undefined = provider.functions?.[request.getTok()];
      if (implementation === undefined) {
        throw new Error(notProvided(provider, `function ${request.getTok()}`));
      }
      const result = await implementation(fromWire(request.getArgs()), {
        preview: request.getPreview(),
        signal: cancellation.signal,
        log: (severity, message) => {
          engine.log(severity, message, "");
        },
      });
      const response = new messages.InvokeResponse();
      response.setReturn(toWire(result));
      return response;
    }),
  };
}

interface Identified {
  getUrn(): string;
}

/** The type token of a URN: the last of the types that its third part lists from the outermost parent down. */
export function typeOf(urn: string): string {
  return urn.split("::")[2]?.split("$").at(-1) ?? "";
}

function notProvided(provider: ProviderImplementation, what: string): string {
  return (
    `the stand-in for the ${provider.name} plugin does not implement ${what}: it knows only what the mesh uses. ` +
    `Install the official plugin (pulumi plugin install resource ${provider.name} ${provider.version}), or see dev/plugins/README.md`
  );
}

function unknownConfigKeys(provider: ProviderImplementation, news: Properties): CheckFailure[] {
  return Object.keys(news)
    .filter((key) => !provider.configKeys.includes(key) && !ENGINE_KEYS.includes(key) && !key.startsWith("__"))
    .map((key) => ({
      property: key,
      reason: notProvided(provider, `the provider argument "${key}"`),
    }));
}

function checkResponse(inputs: Properties, failures: readonly CheckFailure[]): messages.CheckResponse {
  const response = new messages.CheckResponse();
  response.setInputs(toWire(inputs));
  response.setFailuresList(
    failures.map(({ property, reason }) => {
      const failure = new messages.CheckFailure();
      failure.setProperty(property);
      failure.setReason(reason);
      return failure;
    }),
  );
  return response;
}
