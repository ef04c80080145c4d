/** How the mesh is, as its controller tells: to declared callers through the mesh, to operators through the Kubernetes API. */
import assert from "node:assert/strict";
import { CustomObjectsApi } from "@kubernetes/client-node";
import { alertGroups } from "../../../components/observability/alerts";
import { WELL_KNOWN, firstPort } from "../../../mesh";
import { MESH_SERVICE, type MeshServiceStatus } from "../../../mesh/custom-resource";
import { overviewSchema, type Overview } from "../../../mesh/overview/model";
import { exec, kubeConfig, podOf, podsOf } from "../support/cluster";
import { mesh, service } from "../support/document";
import { eventually } from "../support/eventually";
import { podGet } from "../support/http-get";
import { runMesh } from "../support/mesh-command";

const custom = kubeConfig.makeApiClient(CustomObjectsApi);
const controller = service(WELL_KNOWN.controller);
const port = firstPort(controller);
/** Seconds in which Prometheus scraped, and was asked, at least twice. */
const SEEN = 150;

async function overview(): Promise<Overview> {
  const text = await podGet(await podOf(controller), port.port, "/api/v1/overview");
  return overviewSchema.parse(JSON.parse(text));
}

async function statusOf({ name, namespace }: { name: string; namespace: string }): Promise<MeshServiceStatus> {
  const { group, version, plural } = MESH_SERVICE;
  const object = (await custom.getNamespacedCustomObject({ group, version, plural, namespace, name })) as {
    status?: MeshServiceStatus;
  };
  return object.status ?? {};
}

/** What a service's application is answered, by its own sidecar and the controller's. */
async function ask(from: string, container: string, path: string, ...options: readonly string[]): Promise<string> {
  const command = ["fortio", "curl", ...options, `http://${controller.hostname}${path}`];
  const { stdout, stderr } = await exec(await podOf(service(from)), container, command);
  // fortio writes the head of an answer to stderr, and its body to stdout.
  return stderr + stdout;
}

describe("the API of how the mesh is", () => {
  it("answers a declared caller through the mesh, with the page and the API", async () => {
    await eventually("the API", async () => {
      assert.match(await ask("admin-ui", "app", "/api/v1/health"), /HTTP\/1\.1 200[^]*"apiVersion": "v1"/);
    });
    assert.match(await ask("admin-ui", "app", "/"), /HTTP\/1\.1 200[^]*<h1>Mesh status<\/h1>/);
  });

  it("refuses a declared caller every path and method that is not declared", async () => {
    for (const path of ["/metrics", "/status", "/targets/ops", "/api/v2/health", "/api/v1/../../metrics"])
      assert.doesNotMatch(await ask("admin-ui", "app", path), /HTTP\/1\.1 200/, path);
    assert.match(await ask("admin-ui", "app", "/api/v1/health", "-payload", "x"), /HTTP\/1\.1 (403|405)/);
  });

  it("has no name for services that do not declare the call", async () => {
    for (const name of ["lucid-blocks", "payout-router", "tron-payment"])
      assert.match(await ask(name, "app", "/api/v1/health"), /no such host|NXDOMAIN|server misbehaving/i, name);
  });

  it("says what kubectl says of every service", async () => {
    await eventually("the same", async () => {
      const { services } = await overview();
      assert.deepEqual(
        services.map(({ name }) => name),
        mesh.services.map(({ name }) => name),
      );
      for (const told of services) {
        const { instances, certificate } = await statusOf(service(told.name));
        const { present, ready, registered } = told.instances;
        assert.deepEqual({ present, ready, registered }, instances, told.name);
        assert.equal(told.certificate?.notAfter, certificate?.notAfter, told.name);
        assert.equal(ready, (await podsOf(service(told.name))).length, told.name);
      }
    });
  });

  it("has every declared edge, with what Prometheus saw of it", async () => {
    const declared = mesh.edges.map(({ from, to, port: name }) => `${from} ${to} ${name}`).sort();
    await eventually(
      "traffic on an edge that is always used",
      async () => {
        const { edges, traffic, connectivity } = await overview();
        assert.equal(traffic.state, "fresh", traffic.error ?? "");
        const told = edges.filter(({ kind }) => kind !== "undeclared");
        assert.deepEqual(told.map(({ from, to, port: name }) => `${from} ${to} ${name}`).sort(), declared);
        // Prometheus asks for its targets, and the controller asks Prometheus, whatever the others do.
        for (const [from, to] of [
          ["prometheus", "mesh-controller"],
          ["mesh-controller", "prometheus"],
        ]) {
          const edge = told.find((one) => one.from === from && one.to === to);
          assert.ok((edge?.observed?.requestsPerSecond ?? 0) > 0, `${from ?? ""} -> ${to ?? ""}`);
          assert.ok(edge?.observed?.p50 !== null, "and how long it took");
        }
        assert.deepEqual(connectivity.sidecars?.unreached, []);
      },
      SEEN,
    );
  });

  it("counts the calls of an application at its edge", async () => {
    const before = Date.now();
    await eventually(
      "calls of admin-ui to lucid-blocks",
      async () => {
        const target = `http://${service("lucid-blocks").hostname}/debug`;
        await exec(await podOf(service("admin-ui")), "app", ["fortio", "curl", target]);
        const { edges } = await overview();
        const edge = edges.find(
          ({ from, to, port: name }) => from === "admin-ui" && to === "lucid-blocks" && name === "http",
        );
        assert.ok((edge?.observed?.requestsPerSecond ?? 0) > 0, `after ${String(Date.now() - before)} ms`);
      },
      SEEN,
    );
  });
});

describe("the alerts that it tells of", () => {
  it("are those of Prometheus, by the call that the document declares", async () => {
    const expected = alertGroups(mesh, { certValidityDays: 90 }).flatMap(({ rules }) => rules);
    await eventually(
      "an answer of Prometheus",
      async () => {
        const text = await podGet(await podOf(controller), port.port, "/api/v1/alerts");
        const { alerts } = overviewSchema.pick({ alerts: true }).parse(JSON.parse(text));
        assert.equal(alerts.state, "fresh", alerts.error ?? "");
        assert.equal(alerts.rules, expected.length);
        assert.deepEqual(alerts.broken, []);
        for (const { name, runbook } of alerts.firing) {
          assert.ok(
            expected.some((rule) => rule.name === name),
            name,
          );
          assert.match(runbook, new RegExp(`^docs/runbooks/[a-z]+\\.md#${name.toLowerCase()}$`));
        }
      },
      SEEN,
    );
  });

  it("are on the page, and printed by mesh status", async () => {
    assert.match(await podGet(await podOf(controller), port.port, "/"), /<h2[^>]*>Alerts<\/h2>/);
    assert.match((await runMesh("status")).stdout, /^Alerts(:| \()/m);
  });
});

describe("mesh status", () => {
  it("prints how the mesh is, and ends well where it is well", async () => {
    await eventually(
      "the mesh being well",
      async () => {
        const { status, stdout, stderr } = await runMesh("status");
        assert.equal(status, 0, stdout + stderr);
        assert.match(stdout, /^The mesh is well: /);
        for (const { name } of mesh.services) assert.match(stdout, new RegExp(`^${name} +\\S+ +well `, "m"));
      },
      // What tests before this one had refused or broken off is in the averages of five minutes.
      400,
    );
  });

  it("gives the same as JSON", async () => {
    const { stdout } = await runMesh("status", "--json");
    assert.equal(overviewSchema.parse(JSON.parse(stdout)).services.length, mesh.services.length);
  });
});
