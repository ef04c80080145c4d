import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { alertGroups } from "../../../components/observability/alerts";
import { firstPort } from "../../../mesh";
import { exec, podOf, podsOf } from "../support/cluster";
import { mesh, service } from "../support/document";
import { eventually } from "../support/eventually";
import { podGet } from "../support/http-get";

describe("Prometheus", () => {
  for (const scraped of mesh.services) {
    it(`has the metrics of ${scraped.name}'s sidecar`, async () => {
      const names = (await podsOf(scraped)).map(({ name }) => name);
      await eventually(
        "the series",
        async () => {
          const up = await query(`up{job="sidecars-${scraped.zone}", service="${scraped.name}"}`);
          assert.deepEqual(
            [...new Set(up.filter(({ value }) => value === 1).map(({ metric }) => metric.pod))].sort(),
            [...names].sort(),
          );
          assert.ok((await query(`envoy_server_live{service="${scraped.name}"}`)).length > 0, "no envoy_server_live");
        },
        120,
      );
    });
  }
});

describe("Prometheus, of applications", () => {
  for (const told of mesh.services) {
    it(`has ${told.metrics === undefined ? "no metrics of" : "what"} ${told.name}${told.metrics === undefined ? "" : " tells"}`, async () => {
      const names = told.metrics === undefined ? [] : (await podsOf(told)).map(({ name }) => name);
      await eventually(
        "the series",
        async () => {
          const up = await query(`up{job=~"applications-.+", service="${told.name}"}`);
          assert.deepEqual(up.map(({ metric, value }) => `${metric.pod ?? ""} ${String(value)}`).sort(), [
            ...names.map((name) => `${name} 1`).sort(),
          ]);
          assert.ok(up.every(({ metric }) => metric.zone === told.zone && metric.job === `applications-${told.zone}`));
        },
        120,
      );
    });
  }

  it("takes the controller's word for whose series it is, whatever the application says", async () => {
    await eventually(
      "the controller's services",
      async () => {
        const services = await query(`lucid_controller_services{ready="True"}`);
        assert.deepEqual(
          [...new Set(services.map(({ metric }) => `${metric.job ?? ""} ${metric.zone ?? ""}`))],
          ["applications-mesh mesh"],
        );
        const zones = new Set(mesh.services.map(({ zone }) => zone));
        assert.deepEqual([...new Set(services.map(({ metric }) => metric.exported_zone))].sort(), [...zones].sort());
      },
      120,
    );
  });
});

describe("Alerts", () => {
  const groups = alertGroups(mesh, { certValidityDays: 90 });

  it("are all loaded, and each can be evaluated", async () => {
    const expected = groups.flatMap(({ name, rules }) => rules.map((rule) => `${name}/${rule.name} ok`));
    await eventually(
      "the first evaluation",
      async () => {
        const told = (await rules()).map(
          ({ group, name, health, lastError = "" }) => `${group}/${name} ${health}${lastError}`,
        );
        assert.deepEqual(told.sort(), [...expected].sort());
      },
      120,
    );
  });

  it("tell who is refused what, and from where", async () => {
    const { hostname } = service("prometheus");
    const asked = await exec(await podOf(service("admin-ui")), "app", ["fortio", "curl", `http://${hostname}/metrics`]);
    assert.match(asked.stderr, /403/);
    await eventually(
      "LucidCallsRefused",
      async () => {
        const found = (await rules()).find(({ name }) => name === "LucidCallsRefused");
        const labels = found?.alerts.filter(({ state }) => state === "firing").map((alert) => alert.labels) ?? [];
        assert.ok(
          labels.some(
            (one) => one.service === "prometheus" && one.lucid_port === "http" && one.lucid_caller_zone === "ops",
          ),
          JSON.stringify(labels),
        );
      },
      120,
    );
  });

  it("say nothing of enforcement, leaders, nodes and roots where all is well with them", async () => {
    const silent =
      /^Lucid(EnforcementLost|Canary|ControllerAway|ControllerWithout|ControllerLeaders|Node|NothingSeen|Root|Rules)/;
    const loud = (await rules()).filter(({ name, alerts }) => silent.test(name) && alerts.length > 0);
    assert.deepEqual(
      loud.map(({ name }) => name),
      [],
    );
  });
});

describe("Jaeger", () => {
  it("has one trace across three services", async () => {
    const trace = randomBytes(16).toString("hex");
    const callers = { first: service("admin-ui"), second: service("payout-router"), third: service("tron-payment") };
    const url = `http://${callers.second.hostname}/fortio/fetch2/?url=http://${callers.third.hostname}/debug`;
    const traceparent = `traceparent: 00-${trace}-${randomBytes(8).toString("hex")}-01`;
    const { code, stderr } = await exec(await podOf(callers.first), "app", ["fortio", "curl", "-H", traceparent, url]);
    assert.equal(code, 0, stderr);
    await eventually(
      "the trace",
      async () => {
        const spans = await traceSpans(trace);
        const services = new Set(spans.map(({ serviceName }) => serviceName));
        for (const { name } of Object.values(callers))
          assert.ok(services.has(name), `no span of ${name} among ${[...services].join(", ")}`);
      },
      60,
    );
  });
});

interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

async function query(expression: string): Promise<Series[]> {
  const body = (await getJson("prometheus", `/api/v1/query?query=${encodeURIComponent(expression)}`)) as {
    data: { result: { metric: Record<string, string>; value: [number, string] }[] };
  };
  return body.data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
}

interface LoadedRule {
  readonly group: string;
  readonly name: string;
  readonly health: string;
  readonly lastError?: string;
  readonly alerts: readonly { readonly state: string; readonly labels: Readonly<Record<string, string>> }[];
}

/** The rules that Prometheus has loaded, in their order, and what they say now. */
async function rules(): Promise<LoadedRule[]> {
  const body = (await getJson("prometheus", "/api/v1/rules?type=alert")) as {
    data: { groups: { name: string; rules: Omit<LoadedRule, "group">[] }[] };
  };
  return body.data.groups.flatMap(({ name: group, rules: loaded }) => loaded.map((rule) => ({ ...rule, group })));
}

async function traceSpans(trace: string): Promise<{ serviceName: string }[]> {
  const body = (await getJson("jaeger", `/api/traces/${trace}`)) as {
    data: { spans: { processID: string }[]; processes: Record<string, { serviceName: string }> }[];
  };
  return body.data.flatMap(({ spans, processes }) =>
    spans.map(({ processID }) => ({ serviceName: processes[processID]?.serviceName ?? "" })),
  );
}

/** Asks a service's application, by a port-forward as an operator would. */
async function getJson(name: string, path: string): Promise<unknown> {
  const asked = service(name);
  return JSON.parse(await podGet(await podOf(asked), firstPort(asked).port, path)) as unknown;
}
