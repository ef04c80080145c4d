import { credentials, Server, ServerCredentials, type ServiceError, status } from "@grpc/grpc-js";
import { ResourceProviderClient, ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as messages from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import assert from "node:assert/strict";

import { EngineLink } from "../../../dev/plugins/protocol/engine";
import { InitializationFailure, type ProviderImplementation } from "../../../dev/plugins/protocol/provider";
import { providerService, typeOf } from "../../../dev/plugins/protocol/service";
import { type Properties, Secret, UNKNOWN } from "../../../dev/plugins/protocol/values";
import { fromWire, toWire } from "../../../dev/plugins/protocol/wire";

const URN = "urn:pulumi:dev::mesh::lucid:Zone$x:index:Thing::thing-1";

describe("plugins: the protocol, over a socket", () => {
  const seen: { config?: Properties; preview?: boolean; name?: string; timeout?: number } = {};
  const provider: ProviderImplementation = {
    name: "x",
    version: "1.2.3",
    configKeys: ["token"],
    configReplaceKeys: ["token"],
    configure: (config) => {
      seen.config = config.properties;
      return Promise.resolve();
    },
    resources: {
      "x:index:Thing": {
        check: ({ news }) => Promise.resolve({ inputs: news, failures: [{ property: "a", reason: "is bad" }] }),
        diff: () => Promise.resolve({ detailedDiff: { a: { kind: "update-replace" } }, deleteBeforeReplace: true }),
        create: ({ inputs, context }) => {
          Object.assign(seen, { preview: context.preview, name: context.name, timeout: context.timeoutSeconds });
          if (inputs.fail === true) {
            throw new InitializationFailure("half", { state: new Secret("s") }, ["not ready", "still not"]);
          }
          return Promise.resolve({ id: "id-1", outputs: { ...inputs, made: context.preview ? UNKNOWN : true } });
        },
        read: ({ id }) => Promise.resolve(id === "gone" ? undefined : { id, outputs: { there: true } }),
      },
    },
    functions: { "x:index:double": ({ n }) => Promise.resolve({ n: Number(n) * 2 }) },
  };

  const server = new Server();
  let client: ResourceProviderClient;
  before(async () => {
    server.addService(ResourceProviderService, providerService(provider, new EngineLink()));
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
        if (error === null) resolve(bound);
        else reject(error);
      });
    });
    client = new ResourceProviderClient(`127.0.0.1:${port}`, credentials.createInsecure());
  });
  after(() => {
    client.close();
    server.forceShutdown();
  });

  /** Calls a method of the client by its callback. */
  function call<Answer>(start: (callback: (error: ServiceError | null, answer: Answer) => void) => void) {
    return new Promise<Answer>((resolve, reject) => {
      start((error, answer) => {
        if (error === null) resolve(answer);
        else reject(error);
      });
    });
  }

  it("configures with secrets on, previews supported and unknown arguments refused", async () => {
    const request = new messages.ConfigureRequest();
    request.setArgs(toWire({ token: new Secret("t") }));
    const answer = await call<messages.ConfigureResponse>((done) => client.configure(request, done));
    assert.ok(answer.getAcceptsecrets() && answer.getAcceptresources() && answer.getSupportspreview());
    assert.ok(!answer.getAcceptoutputs());
    assert.deepEqual(seen.config, { token: new Secret("t") });

    const check = new messages.CheckRequest();
    check.setNews(toWire({ token: "t", version: "1.2.3", tokne: "t" }));
    const failures = (await call<messages.CheckResponse>((done) => client.checkConfig(check, done))).getFailuresList();
    assert.deepEqual(
      failures.map((failure) => failure.getProperty()),
      ["tokne"],
    );
  });

  it("replaces the provider for the arguments that say so", async () => {
    const request = new messages.DiffRequest();
    request.setOldInputs(toWire({ token: "a", version: "1" }));
    request.setNews(toWire({ token: "b", version: "2" }));
    const answer = await call<messages.DiffResponse>((done) => client.diffConfig(request, done));
    assert.deepEqual(answer.getReplacesList(), ["token"]);
  });

  it("hands values and context through, at preview and after", async () => {
    const request = new messages.CreateRequest();
    request.setUrn(URN);
    request.setProperties(toWire({ secret: new Secret("s"), later: UNKNOWN }));
    request.setPreview(true);
    request.setTimeout(7);
    const answer = await call<messages.CreateResponse>((done) => client.create(request, done));
    assert.deepEqual(fromWire(answer.getProperties()), { secret: new Secret("s"), later: UNKNOWN, made: UNKNOWN });
    assert.deepEqual(
      { preview: seen.preview, name: seen.name, timeout: seen.timeout },
      { preview: true, name: "thing-1", timeout: 7 },
    );
    assert.equal(typeOf(URN), "x:index:Thing");
  });

  it("tells the engine of an object that exists but is not ready", async () => {
    const request = new messages.CreateRequest();
    request.setUrn(URN);
    request.setProperties(toWire({ fail: true }));
    const error = await call<messages.CreateResponse>((done) => client.create(request, done)).then(
      () => assert.fail("it must fail"),
      (thrown: unknown) => thrown as ServiceError,
    );
    const [details] = error.metadata.get("grpc-status-details-bin");
    assert.ok(Buffer.isBuffer(details));
    const [detail] = Status.deserializeBinary(details).getDetailsList();
    assert.equal(detail?.getTypeName(), "pulumirpc.ErrorResourceInitFailed");
    const failure = messages.ErrorResourceInitFailed.deserializeBinary(detail.getValue_asU8());
    assert.equal(failure.getId(), "half");
    assert.deepEqual(failure.getReasonsList(), ["not ready", "still not"]);
    assert.deepEqual(fromWire(failure.getProperties()), { state: new Secret("s") });
  });

  it("checks, diffs and reads; an object that is gone has no id", async () => {
    const check = new messages.CheckRequest();
    check.setUrn(URN);
    check.setNews(toWire({ a: 1 }));
    const checked = await call<messages.CheckResponse>((done) => client.check(check, done));
    assert.equal(checked.getFailuresList()[0]?.getReason(), "is bad");

    const diff = new messages.DiffRequest();
    diff.setUrn(URN);
    const differs = await call<messages.DiffResponse>((done) => client.diff(diff, done));
    assert.ok(differs.getDeletebeforereplace());
    assert.deepEqual(differs.getReplacesList(), ["a"]);

    const read = new messages.ReadRequest();
    read.setUrn(URN);
    read.setId("gone");
    assert.equal((await call<messages.ReadResponse>((done) => client.read(read, done))).getId(), "");
    read.setId("there");
    const found = await call<messages.ReadResponse>((done) => client.read(read, done));
    assert.deepEqual(fromWire(found.getProperties()), { there: true });
  });

  it("answers functions", async () => {
    const request = new messages.InvokeRequest();
    request.setTok("x:index:double");
    request.setArgs(toWire({ n: 21 }));
    const answer = await call<messages.InvokeResponse>((done) => client.invoke(request, done));
    assert.deepEqual(fromWire(answer.getReturn()), { n: 42 });
  });

  for (const [what, start] of [
    [
      "resource type y:index:Other",
      (done: Done<messages.CheckResponse>) => client.check(checkOf("y:index:Other"), done),
    ],
    [
      "function x:index:nothing",
      (done: Done<messages.InvokeResponse>) => client.invoke(invokeOf("x:index:nothing"), done),
    ],
    ["update of x:index:Thing", (done: Done<messages.UpdateResponse>) => client.update(updateOf(), done)],
  ] as const) {
    it(`says of a ${what} that it is not implemented, and what to do`, async () => {
      await assert.rejects(call(start as never), (error: ServiceError) => {
        assert.ok(error.details.includes(`does not implement ${what}`), error.details);
        assert.match(error.details, /pulumi plugin install resource x 1\.2\.3/);
        return true;
      });
    });
  }

  it("has no handshake, so that the engine takes the older way", async () => {
    const request = new messages.ProviderHandshakeRequest();
    await assert.rejects(
      call<messages.ProviderHandshakeResponse>((done) => client.handshake(request, done)),
      (error: ServiceError) => error.code === status.UNIMPLEMENTED,
    );
  });
});

type Done<Answer> = (error: ServiceError | null, answer: Answer) => void;

function checkOf(type: string): messages.CheckRequest {
  const request = new messages.CheckRequest();
  request.setUrn(`urn:pulumi:dev::mesh::${type}::a`);
  return request;
}

function invokeOf(token: string): messages.InvokeRequest {
  const request = new messages.InvokeRequest();
  request.setTok(token);
  return request;
}

function updateOf(): messages.UpdateRequest {
  const request = new messages.UpdateRequest();
  request.setUrn(URN);
  return request;
}
