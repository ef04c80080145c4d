import assert from "node:assert/strict";
import { versionPods } from "../../../components/pods/application";
import { selectorLabels } from "../../../components/pods/pod";
import { serviceNamed } from "../../../mesh";
import { versionsMesh } from "../envoy/versions-fixture";

describe("workloads of a service's versions", () => {
  const shop = serviceNamed(versionsMesh(), "shop");
  assert.ok(shop.workload.kind === "versions");
  const pods = versionPods(shop, shop.workload.versions);

  it("are one for each, named for it", () => {
    assert.deepEqual(
      pods.map(({ name, workload, replicas }) => ({ name, workload, replicas })),
      [
        { name: "stable", workload: "shop-stable", replicas: 1 },
        { name: "canary", workload: "shop-canary", replicas: 1 },
      ],
    );
  });

  it("select their own pods alone, while the service's labels select all", () => {
    const [all, stable, canary] = [undefined, "stable", "canary"].map((version) => selectorLabels("shop", version));
    const label = "app.kubernetes.io/version";
    assert.deepEqual(
      [stable, canary],
      [
        { ...all, [label]: "stable" },
        { ...all, [label]: "canary" },
      ],
    );
    assert.ok(!(label in (all ?? {})));
  });
});
