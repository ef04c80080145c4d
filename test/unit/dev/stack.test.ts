import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import * as path from "node:path";
import { checkoutDir, kubeconfigPath } from "../../../dev/paths";
import { namesEmbeddedCluster, stackConfig, stackTarget } from "../../../dev/stack";
import { UsageError } from "../../../dev/usage-error";

describe("the cluster that a stack names", () => {
  const cases: readonly [title: string, config: Record<string, unknown>, embedded: boolean][] = [
    ["the embedded cluster's kubeconfig", { "lucid-mesh:kubeconfig": ".state/kubeconfig" }, true],
    ["the same file by another spelling", { "lucid-mesh:kubeconfig": "./dev/../.state/kubeconfig" }, true],
    ["the same file by its absolute path", { "lucid-mesh:kubeconfig": kubeconfigPath }, true],
    ["another kubeconfig", { "lucid-mesh:kubeconfig": "kubeconfig" }, false],
    ["another kubeconfig of that name", { "lucid-mesh:kubeconfig": "/elsewhere/.state/kubeconfig" }, false],
    [
      "a context in that kubeconfig",
      { "lucid-mesh:kubeconfig": ".state/kubeconfig", "lucid-mesh:context": "other" },
      false,
    ],
    ["a context alone", { "lucid-mesh:context": "other" }, false],
    ["no kubeconfig: the ambient one", {}, false],
    ["the key of another project", { "other:kubeconfig": ".state/kubeconfig" }, false],
    ["a kubeconfig that is no text", { "lucid-mesh:kubeconfig": { secure: "x" } }, false],
  ];
  for (const [title, config, embedded] of cases) {
    it(`${title} ${embedded ? "is" : "is not"} the embedded one`, () => {
      assert.equal(namesEmbeddedCluster(config), embedded);
    });
  }

  it("is the embedded one for the stack of this project", () => {
    const target = stackTarget();
    assert.equal(target.configFile, path.join(checkoutDir, "Pulumi.dev.yaml"));
    assert.equal(target.embedded, true);
  });

  it("is refused in one line for a stack without a file", () => {
    assert.ok(!existsSync(path.join(checkoutDir, "Pulumi.no-such-stack.yaml")));
    assert.throws(() => stackTarget("no-such-stack"), saying(/^Pulumi\.no-such-stack\.yaml is missing: make it/));
  });
});

describe("a stack's configuration file", () => {
  it("has a map `config`", () => {
    assert.deepEqual(stackConfig("config:\n  lucid-mesh:context: other\n", "Pulumi.x.yaml"), {
      "lucid-mesh:context": "other",
    });
  });

  it("may leave it out, as Pulumi itself does while nothing is set", () => {
    assert.deepEqual(stackConfig("encryptionsalt: v1:x\n", "Pulumi.x.yaml"), {});
    assert.deepEqual(stackConfig("config:\n", "Pulumi.x.yaml"), {});
  });

  for (const text of ["[]", "text", "config: []", "config: text"]) {
    it(`is refused in one line where it is ${JSON.stringify(text)}`, () => {
      assert.throws(() => stackConfig(text, "Pulumi.x.yaml"), saying(/^Pulumi\.x\.yaml has no map `config`; compare/));
    });
  }

  for (const text of ["", "config: [", "a: 1\n b: 2\n"]) {
    it(`is refused in one line where ${JSON.stringify(text)} is no document`, () => {
      assert.throws(
        () => stackConfig(text, "Pulumi.x.yaml"),
        saying(/^Pulumi\.x\.yaml(:\d+)? is not YAML that can be/),
      );
    });
  }
});

/** A `UsageError` of one line. */
function saying(message: RegExp): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof UsageError, String(error));
    assert.match(error.message, message);
    assert.ok(!error.message.includes("\n"), error.message);
    return true;
  };
}
