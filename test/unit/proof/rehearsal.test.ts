import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import * as runtimeState from "@pulumi/pulumi/runtime/state";
import assert from "node:assert/strict";
import { UNKNOWN } from "../../../policies/judgement/plain";
import { rehearse } from "../../../proof";
import { installMocks, recorded } from "../components/mocks";

const NAMES = { project: "rehearsed", stack: "dev" };

/** What a program would register, by type and name. */
async function planned(program: () => unknown) {
  const resources = await rehearse(program, NAMES);
  return (type: string, name: string) => {
    const found = resources.filter((resource) => resource.type === type && resource.name === name);
    assert.equal(found.length, 1, `${type} ${name} among ${resources.map((one) => one.urn).join(", ")}`);
    return found[0] ?? assert.fail();
  };
}

const POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy";
const policy = (opts?: pulumi.CustomResourceOptions) =>
  new kubernetes.networking.v1.NetworkPolicy("deny", { metadata: { name: "deny" }, spec: { podSelector: {} } }, opts);
/** A change of every NetworkPolicy. */
const widen = ({ type, props }: { type: string; props: Record<string, unknown> }) =>
  type === POLICY ? { ...props, spec: { podSelector: {}, ingress: [{}] } } : props;
const WIDENED = { podSelector: {}, ingress: [{}] };

describe("a rehearsal", function () {
  this.timeout(30_000);

  it("gives back what would be registered, with its inputs", async () => {
    const find = await planned(() => policy());
    const { properties, urn } = find(POLICY, "deny");
    assert.equal(urn, `urn:pulumi:dev::rehearsed::${POLICY}::deny`);
    assert.deepEqual(properties.at("spec").plain, { podSelector: {} });
    assert.equal(properties.at("kind").text(), "NetworkPolicy");
  });

  it("leaves unknown what only the update makes, and knows where it comes from", async () => {
    const find = await planned(() => {
      const key = new tls.PrivateKey("key", { algorithm: "ECDSA" });
      new kubernetes.core.v1.Secret("secret", { stringData: { key: key.privateKeyPem } });
    });
    const secret = find("kubernetes:core/v1:Secret", "secret");
    assert.equal(secret.properties.at("stringData", "key").plain, UNKNOWN);
    assert.deepEqual(
      secret.origins("stringData").map(({ name }) => name),
      ["key"],
    );
  });

  it("leaves it unknown through transforms", async () => {
    const find = await planned(() => {
      const key = new tls.PrivateKey("key", { algorithm: "ECDSA" });
      new kubernetes.core.v1.ConfigMap(
        "map",
        { data: { key: key.publicKeyPem } },
        { transforms: [({ props, opts }) => ({ props: { ...props, immutable: true }, opts })] },
      );
    });
    const map = find("kubernetes:core/v1:ConfigMap", "map");
    assert.deepEqual(map.properties.at("data").plain, { key: UNKNOWN });
    assert.ok(map.properties.at("immutable").is(true));
  });

  it("leaves it unknown where a transform hands it back, and lets a transform replace it", async () => {
    const find = await planned(() => {
      const key = new tls.PrivateKey("key", { algorithm: "ECDSA" });
      const transforms: pulumi.ResourceTransform[] = [
        ({ props, opts }) => {
          (props.data as Record<string, unknown>).other = "known";
          return { props, opts };
        },
      ];
      const data = { key: key.privateKeyPem, other: key.publicKeyPem, deep: "text" };
      new kubernetes.core.v1.ConfigMap("map", { data }, { transforms });
    });
    assert.deepEqual(find("kubernetes:core/v1:ConfigMap", "map").properties.at("data").plain, {
      key: UNKNOWN,
      other: "known",
      deep: "text",
    });
  });

  it("waits for what an awaited step and a known output beget", async () => {
    const find = await planned(async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      pulumi.output("known").apply(() => policy());
    });
    find(POLICY, "deny");
  });

  const WAYS: readonly (readonly [title: string, program: () => unknown])[] = [
    [
      "the resource's own transform",
      () => policy({ transforms: [(args) => ({ props: widen(args), opts: args.opts })] }),
    ],
    [
      "the transform of the component above its component",
      () => {
        const outer = new pulumi.ComponentResource(
          "test:x:Outer",
          "outer",
          {},
          {
            transforms: [(args) => ({ props: widen(args), opts: args.opts })],
          },
        );
        policy({ parent: new pulumi.ComponentResource("test:x:Inner", "inner", {}, { parent: outer }) });
      },
    ],
    [
      "the stack's transform",
      () => {
        pulumi.runtime.registerResourceTransform((args) => ({ props: widen(args), opts: args.opts }));
        policy();
      },
    ],
    [
      "the stack's transformation",
      () => {
        pulumi.runtime.registerStackTransformation((args) => ({ props: widen(args), opts: args.opts }));
        policy();
      },
    ],
  ];
  for (const [title, program] of WAYS) {
    it(`shows what ${title} makes of a resource`, async () => {
      const find = await planned(program);
      assert.deepEqual(find(POLICY, "deny").properties.at("spec").plain, WIDENED);
    });
  }

  it("touches neither the engine nor the run that it is called in", async () => {
    await installMocks();
    const state = runtimeState as unknown as { getStore(): Readonly<Record<string, unknown>> };
    const before = { ...state.getStore(), stackResource: globalThis.stackResource };
    await planned(() => policy());
    assert.deepEqual(recorded, []);
    assert.equal(globalThis.stackResource, before.stackResource);
    assert.equal(pulumi.runtime.isDryRun(), false);
    assert.equal(pulumi.getProject(), "lucid-mesh");
    policy();
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.deepEqual(
      recorded.map(({ name }) => name),
      ["deny"],
    );
  });

  it("reads the configuration of the run that it is called in", async () => {
    await installMocks();
    pulumi.runtime.setConfig("lucid-mesh:size", "3");
    let size: string | undefined;
    await rehearse(() => (size = new pulumi.Config("lucid-mesh").get("size")));
    assert.equal(size, "3");
  });

  const failing = () => {
    const first = new kubernetes.core.v1.ConfigMap(
      "first",
      { metadata: { name: "first" } },
      {
        transforms: [
          () => {
            throw new TypeError("this transform has a defect");
          },
        ],
      },
    );
    new kubernetes.core.v1.ConfigMap("second", { metadata: { name: first.metadata.name } }, { dependsOn: first });
  };
  const UNANSWERED: readonly (readonly [title: string, program: () => unknown, tells: RegExp])[] = [
    [
      "asks a provider",
      () => pulumi.runtime.invokeOutput("test:index:ask", { of: "it" }),
      /the program asks test:index:ask before it is proven: ask it before, and hand the answer in/,
    ],
    [
      "reads a resource",
      () => kubernetes.core.v1.Secret.get("found", "default/found"),
      /the program reads kubernetes:core\/v1:Secret found before it is proven/,
    ],
    [
      "has a remote component",
      () => new pulumi.ComponentResource("test:index:Remote", "remote", {}, {}, true),
      /test:index:Remote remote is a remote component: what it would make can't be told/,
    ],
    ["has a transform that fails, for whose resource others wait", failing, /this transform has a defect/],
  ];
  for (const [title, program, tells] of UNANSWERED) {
    it(`is refused to a program that ${title}`, async () => {
      // The runtime reports what fails beside the program on its own as well.
      const others = process.listeners("unhandledRejection");
      process.removeAllListeners("unhandledRejection");
      process.on("unhandledRejection", () => undefined);
      try {
        await assert.rejects(planned(program), tells);
        await new Promise((resolve) => setTimeout(resolve, 20));
      } finally {
        process.removeAllListeners("unhandledRejection");
        for (const listener of others) process.on("unhandledRejection", listener);
      }
    });
  }

  it("throws what the program throws", async () => {
    await assert.rejects(
      planned(() => {
        throw new pulumi.RunError("no such image");
      }),
      /^RunError: no such image$|no such image/,
    );
  });

  it("says where a program's defect is, and leaves stack traces as they were", async () => {
    const { stackTraceLimit } = Error;
    function defect(): never {
      throw new TypeError("no such thing");
    }
    await assert.rejects(planned(defect), (error: Error) => {
      assert.match(error.stack ?? "", /at defect .*rehearsal\.test\.ts/);
      return true;
    });
    assert.equal(Error.stackTraceLimit, stackTraceLimit);
  });
});
