import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { contextDigest } from "../../../dev/plugins/docker/digest";
import { Engine } from "../../../dev/plugins/docker/engine";
import { imageResource } from "../../../dev/plugins/docker/image";
import { checkInputs } from "../../../dev/plugins/docker/inputs";
import { parseHost } from "../../../dev/plugins/docker/settings";
import type { OperationContext } from "../../../dev/plugins/protocol/provider";
import { isProperties, type Properties, reveal, Secret, UNKNOWN } from "../../../dev/plugins/protocol/values";

const NAME = "registry.lucid.internal/lucid/x:1";

describe("docker plugin: images", () => {
  let folder = "";
  let server: Server | undefined;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "lucid-docker-"));
    write("Dockerfile", "FROM scratch\n");
  });
  afterEach(() => {
    server?.close();
    server = undefined;
    rmSync(folder, { recursive: true });
  });

  /** Writes a file of the context with a mode that no umask changes. */
  function write(name: string, text: string, mode = 0o644): void {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
    chmodSync(file, mode);
  }

  const dockerfile = (): string => path.join(folder, "Dockerfile");
  const inputs = (more: Properties = {}, build: Properties = {}): Properties => ({
    imageName: NAME,
    build: { context: folder, dockerfile: dockerfile(), platform: "linux/amd64", ...build },
    skipPush: false,
    ...more,
  });

  describe("check", () => {
    const failures = (properties: Properties): string[] => checkInputs(properties).map(({ property }) => property);

    it("passes what the SDK's types allow", () => {
      const build = {
        args: { A: "1" },
        target: "t",
        network: "none",
        addHosts: ["a:1.2.3.4"],
        builderVersion: "BuilderV1",
      };
      const registry = { server: "r", username: "u", password: new Secret("p") };
      assert.deepEqual(failures(inputs({ registry, buildOnPreview: true }, build)), []);
    });

    const wrong: readonly (readonly [what: string, more: Properties, build: Properties, property: string])[] = [
      ["an unknown argument", { tag: "1" }, {}, "tag"],
      ["an unknown argument of build", {}, { cache: true }, "build.cache"],
      ["an unknown argument of registry", { registry: { user: "u" } }, {}, "registry.user"],
      ["another type", { skipPush: "yes" }, {}, "skipPush"],
      ["an unknown builder", {}, { builderVersion: "2" }, "build.builderVersion"],
      ["a name without a registry", { imageName: "lucid/x:1" }, {}, "imageName"],
      ["a context that isn't there", {}, { context: "/nowhere" }, "build.context"],
      ["a Dockerfile that isn't there", {}, { dockerfile: "/nowhere" }, "build.dockerfile"],
    ];
    for (const [what, more, build, property] of wrong) {
      it(`refuses ${what}`, () => {
        assert.deepEqual(failures(inputs(more, build)), [property]);
      });
    }

    it("takes a short name for an image that isn't pushed", () => {
      assert.deepEqual(failures(inputs({ imageName: "x", skipPush: true })), []);
    });

    it("leaves what isn't known yet for the deployment", () => {
      assert.deepEqual(failures(inputs({ imageName: UNKNOWN }, { context: UNKNOWN })), []);
    });
  });

  describe("resource", () => {
    const nobody = imageResource(() => {
      throw new Error("no engine is wanted here");
    });
    const context = (preview: boolean): OperationContext => ({
      urn: "urn:pulumi:dev::p::docker:index/image:Image::x",
      type: "docker:index/image:Image",
      name: "x",
      preview,
      timeoutSeconds: 0,
      signal: new AbortController().signal,
      log: () => undefined,
    });
    const checked = async (properties: Properties): Promise<Properties> =>
      (await nobody.check({ news: properties, olds: {}, randomSeed: new Uint8Array(), context: context(true) })).inputs;
    const changed = async (olds: Properties, news: Properties): Promise<string[]> => {
      const oldInputs = await checked(olds);
      const request = {
        id: NAME,
        olds: {},
        oldInputs,
        news: await checked(news),
        ignoreChanges: [],
        context: context(true),
      };
      const { detailedDiff = {} } = await nobody.diff(request);
      assert.ok(Object.values(detailedDiff).every(({ kind }) => !kind.endsWith("-replace")));
      return Object.keys(detailedDiff);
    };

    it("has the context's digest among its inputs, secrets kept", async () => {
      const { build } = await checked(inputs({ build: new Secret({ context: folder, dockerfile: dockerfile() }) }));
      assert.ok(build instanceof Secret && isProperties(build.value));
      const clear = build.value;
      assert.equal(clear.contextDigest, contextDigest(folder, dockerfile()));
      assert.ok(typeof clear.platform === "string" && clear.platform.startsWith("linux/"));
    });

    it("is built anew in place when a file or the name changes", async () => {
      const before = await checked(inputs());
      write("new", "");
      const request = {
        id: NAME,
        olds: {},
        oldInputs: before,
        news: await checked(inputs()),
        ignoreChanges: [],
        context: context(true),
      };
      assert.deepEqual(Object.keys((await nobody.diff(request)).detailedDiff ?? {}), ["build.contextDigest"]);
      assert.deepEqual(await changed(inputs(), inputs({ imageName: "registry.lucid.internal/y:1" })), ["imageName"]);
    });

    it("is not built anew for other credentials, but for another registry", async () => {
      const registry = (server: string, password: string): Properties => ({
        registry: { server, username: "u", password },
      });
      assert.deepEqual(await changed(inputs(registry("r", "1")), inputs(registry("r", "2"))), []);
      assert.deepEqual(await changed(inputs(registry("r", "1")), inputs(registry("s", "1"))), ["registry.server"]);
    });

    it("needs no engine at preview, and knows the name there", async () => {
      const { outputs } = await nobody.create({ inputs: await checked(inputs()), context: context(true) });
      assert.equal(outputs.imageName, NAME);
      assert.equal(outputs.baseImageName, NAME);
      assert.equal(outputs.dockerfile, "Dockerfile");
      assert.equal(outputs.context, folder);
      assert.equal(outputs.repoDigest, UNKNOWN);
    });

    it("refuses a build at preview of what isn't known", async () => {
      const news = inputs({ imageName: UNKNOWN, buildOnPreview: true });
      await assert.rejects(nobody.create({ inputs: news, context: context(true) }), /buildOnPreview/);
    });

    /** An engine that answers each `METHOD path` so. */
    async function engine(answers: Readonly<Record<string, string>>): Promise<string[]> {
      const seen: string[] = [];
      const socketPath = path.join(folder, "engine.sock");
      server = createServer((request, response) => {
        const key = `${request.method ?? ""} ${(request.url ?? "").replace(/\?.*/, "")}`;
        seen.push(`${request.method ?? ""} ${request.url ?? ""}`);
        request.resume().on("end", () => {
          const answer = answers[key];
          response.writeHead(answer === undefined ? 404 : 200).end(answer ?? '{"message":"no such thing"}');
        });
      });
      await new Promise<void>((resolve) => server?.listen(socketPath, resolve));
      return seen;
    }
    const standIn = imageResource(() => ({
      engine: new Engine(parseHost(`unix://${path.join(folder, "engine.sock")}`)),
      registryAuth: [],
    }));
    const ANSWERS = {
      "GET /version": '{"Os":"linux","Arch":"amd64"}',
      "POST /build": '{"stream":"Step 1/1 : FROM scratch\\n"}\n{"aux":{"ID":"sha256:1"}}\n',
      "POST /images/registry.lucid.internal/lucid/x/push": '{"aux":{"Tag":"1","Digest":"sha256:2","Size":3}}\n',
      [`GET /images/${NAME}/json`]: '{"Id":"sha256:1","Os":"linux","Architecture":"amd64","RepoDigests":null}',
    };

    it("is built and pushed", async () => {
      const news = await checked(inputs());
      const seen = await engine(ANSWERS);
      const { id, outputs } = await standIn.create({ inputs: news, context: context(false) });
      assert.equal(id, NAME);
      assert.equal(outputs.repoDigest, "registry.lucid.internal/lucid/x@sha256:2");
      assert.equal(outputs.platform, "linux/amd64");
      assert.deepEqual(reveal(outputs.__inputs ?? null), news);
      assert.ok(seen.some((line) => line.startsWith("POST /images/registry.lucid.internal/lucid/x/push?tag=1")));
    });

    it("goes by its id where it isn't pushed", async () => {
      const news = await checked(inputs({ skipPush: true }));
      const seen = await engine(ANSWERS);
      const { outputs } = await standIn.create({ inputs: news, context: context(false) });
      assert.equal(outputs.repoDigest, "sha256:1");
      assert.ok(!seen.some((line) => line.includes("/push")));
    });

    it("is not pushed at preview", async () => {
      const news = await checked(inputs({ buildOnPreview: true }));
      const seen = await engine(ANSWERS);
      const { outputs } = await standIn.create({ inputs: news, context: context(true) });
      assert.equal(outputs.repoDigest, UNKNOWN);
      assert.ok(seen.some((line) => line.startsWith("POST /build")));
      assert.ok(!seen.some((line) => line.includes("/push")));
    });

    it("fails with the engine's reason and the last lines of output", async () => {
      const news = await checked(inputs());
      const failure = '{"errorDetail":{"message":"COPY failed: no such file"},"error":"COPY failed: no such file"}';
      await engine({ ...ANSWERS, "POST /build": `{"stream":"Step 2/2 : COPY a b\\n"}\n${failure}\n` });
      await assert.rejects(standIn.create({ inputs: news, context: context(false) }), {
        message: `building the image ${NAME} failed: COPY failed: no such file\nlast lines of output:\n  Step 2/2 : COPY a b`,
      });
    });

    it("says when the push was refused, and when no engine answers", async () => {
      const news = await checked(inputs());
      await assert.rejects(
        standIn.create({ inputs: news, context: context(false) }),
        /no Docker engine answers at unix:/,
      );
      const refused = '{"errorDetail":{"message":"denied"},"error":"denied"}';
      await engine({ ...ANSWERS, "POST /images/registry.lucid.internal/lucid/x/push": refused });
      await assert.rejects(standIn.create({ inputs: news, context: context(false) }), {
        message: `pushing the image ${NAME} failed: denied`,
      });
    });
  });
});
