import assert from "node:assert/strict";
import { buildQuery } from "../../../dev/plugins/docker/build";
import { authHeader, parseDockerConfig, pushAuth } from "../../../dev/plugins/docker/credentials";
import { familiarRepository, isQualified, splitTag } from "../../../dev/plugins/docker/image-name";
import { parseMessage, Progress } from "../../../dev/plugins/docker/messages";
import { parseHost, readSettings } from "../../../dev/plugins/docker/settings";
import { imageSpec } from "../../../dev/plugins/docker/spec";
import { ConfigValues } from "../../../dev/plugins/protocol/config";
import { type Properties } from "../../../dev/plugins/protocol/values";

const NAME = "registry.lucid.internal/lucid/x:1";

describe("docker plugin", () => {
  describe("build request", () => {
    it("asks for the classic builder, and for a platform only where it isn't the engine's own", () => {
      const image = imageSpec({
        imageName: NAME,
        build: { platform: "linux/amd64", args: { A: "1" }, target: "t", cacheFrom: { images: [NAME] } },
      });
      const query = buildQuery(image, "Dockerfile", "linux/amd64");
      assert.equal(query.get("version"), "1");
      assert.equal(query.get("t"), NAME);
      assert.equal(query.get("buildargs"), '{"A":"1"}');
      assert.equal(query.get("cachefrom"), JSON.stringify([NAME]));
      assert.equal(query.get("target"), "t");
      assert.equal(query.has("platform"), false);
      assert.equal(buildQuery(image, "Dockerfile", "linux/arm64").get("platform"), "linux/amd64");
    });
  });

  describe("names", () => {
    it("are qualified by a host", () => {
      const qualified = ["localhost/x", "a.b/x", "h:5000/x:1"].map(isQualified);
      assert.deepEqual(
        [qualified, ["x", "x:1", "lucid/x"].map(isQualified)],
        [Array(3).fill(true), Array(3).fill(false)],
      );
    });

    it("are split at the tag, not at the port", () => {
      assert.deepEqual(splitTag("h:5000/x"), { repository: "h:5000/x", tag: "latest" });
      assert.deepEqual(splitTag("h:5000/x:1"), { repository: "h:5000/x", tag: "1" });
      assert.equal(familiarRepository("docker.io/library/node:20"), "node");
    });
  });

  describe("credentials", () => {
    const registry = { server: "", username: "", password: "" };
    const own = { registry: { server: "https://r.example", username: "u", password: "p" }, imageName: "r.example/x:1" };
    const logins = parseDockerConfig(
      JSON.stringify({
        auths: { "https://index.docker.io/v1/": { auth: btoa("hub:a:b") }, "r.example": { auth: btoa("v:q") } },
      }),
    );

    it("are the resource's, else the provider's, else the user's, else nobody's", () => {
      const provider = [{ address: "r.example", username: "w", password: "s" }];
      assert.equal(pushAuth(own, provider, logins).username, "u");
      assert.equal(pushAuth({ ...own, registry }, provider, logins).username, "w");
      assert.equal(pushAuth({ ...own, registry }, [], logins).username, "v");
      assert.deepEqual(pushAuth({ registry, imageName: "other.example/x" }, [], logins), {});
    });

    it("of Docker Hub are found under its legacy address; a password may hold colons", () => {
      assert.deepEqual(pushAuth({ registry, imageName: "docker.io/lucid/x" }, [], logins), {
        username: "hub",
        password: "a:b",
        serveraddress: "https://index.docker.io/v1/",
      });
    });

    it("travel as padded, URL-safe base64", () => {
      assert.equal(authHeader({}), "e30=");
      assert.doesNotMatch(authHeader({ password: "???>>>~~~" }), /[+/]/);
    });
  });

  describe("messages", () => {
    it("carry output, failures and digests", () => {
      assert.equal(parseMessage('{"stream":"a"}').stream, "a");
      assert.equal(parseMessage('{"aux":{"Tag":"1","Digest":"sha256:2"}}').digest, "sha256:2");
      assert.equal(parseMessage('{"errorDetail":{"code":401,"message":"no"},"error":"no"}').errorCode, 401);
    });

    it("keep the last twenty lines for the failure", () => {
      const progress = new Progress();
      for (let line = 1; line <= 30; line++) {
        progress.take({ stream: `line ${String(line)}\n` });
      }
      progress.take({ error: "it broke" });
      assert.throws(() => {
        progress.check("building");
      }, /^Error: building failed: it broke\nlast lines of output:\n {2}line 11\n[^]*line 30$/);
    });
  });

  describe("provider", () => {
    const config = (properties: Properties): ConfigValues => new ConfigValues(properties);

    it("takes the host from its argument, else the environment, else the usual socket", () => {
      const env = { DOCKER_HOST: "tcp://10.0.0.1:2375" };
      assert.equal(readSettings(config({ host: "unix:///run/a.sock" }), env).endpoint.socketPath, "/run/a.sock");
      assert.deepEqual(readSettings(config({}), env).endpoint.address, { hostname: "10.0.0.1", port: 2375 });
      assert.equal(readSettings(config({}), {}).endpoint.socketPath, "/var/run/docker.sock");
    });

    it("takes registryAuth as the SDK sends it, as JSON text", () => {
      const registryAuth = '[{"address":"https://r.example/v2","username":"u","password":"p"}]';
      assert.deepEqual(readSettings(config({ registryAuth }), {}).registryAuth, [
        { address: "r.example", username: "u", password: "p" },
      ]);
    });

    for (const host of ["ssh://a", "unix://relative.sock", "npipe:////./pipe/docker", "tcp://"]) {
      it(`refuses the host ${host}`, () => {
        assert.throws(() => parseHost(host), /Docker host/);
      });
    }

    it("wants TLS material whole, and refuses contexts", () => {
      assert.throws(() => readSettings(config({ host: "tcp://a:1", caMaterial: "x" }), {}), /together/);
      assert.throws(() => readSettings(config({ context: "remote" }), {}), /not implemented/);
    });
  });
});
