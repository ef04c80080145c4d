import assert from "node:assert/strict";
import { pages } from "../../../dev/pages";

describe("what npm start prints", () => {
  it("leads to what every mesh has, and to Consul's page where that is the backend", () => {
    const text = pages("consul", "kubectl");
    assert.match(text, /Prometheus: http:\/\/127\.0\.0\.1:9090\S+\n {4}kubectl port-forward -n lucid-ops /);
    assert.match(
      text,
      /Consul: http:\/\/127\.0\.0\.1:8500\/ui\/\n {4}kubectl port-forward .*statefulset\/consul 8500$/,
    );
    assert.doesNotMatch(text, /etcd/);
  });

  it("leads to etcd in its own pod where that is", () => {
    const text = pages("etcd", "kubectl");
    assert.match(text, /Mesh controller/);
    assert.match(text, /etcd \(health\):\n {4}kubectl exec -n lucid-mesh etcd-0 -- etcdctl .* endpoint health$/);
    assert.doesNotMatch(text, /Consul/);
  });
});
