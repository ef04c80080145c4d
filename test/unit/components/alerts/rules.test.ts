import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { alertGroups, alertRulesFile, runbookOf } from "../../../../components/observability/alerts";
import { ALERTS_FILE, prometheusConfig } from "../../../../components/observability/prometheus-config";
import { CHECKS } from "../../../../cli/check/all";
import { checkoutDir } from "../../../../dev/paths";
import { loadMesh, type Mesh } from "../../../../mesh";
import { Metrics, type Gauges } from "../../../../services/controller/src/metrics";
import { authenticatedMesh } from "../../envoy/authenticated";
import { lucid } from "../../proof/lucid";
import { promtool } from "./promtool";
import { selectorsOf } from "./selectors";

const SETTINGS = { certValidityDays: 90 };
const groups = alertGroups(lucid, SETTINGS);
const all = groups.flatMap((group) => group.rules.map((rule) => ({ group, rule })));
const RUNBOOKS = join(checkoutDir, "docs", "runbooks");

function headings(page: string): string[] {
  return [...readFileSync(join(RUNBOOKS, page), "utf8").matchAll(/^## (.*)$/gm)].map(([, heading = ""]) => heading);
}

describe("alerting rules", () => {
  it("each have a name of their own, and a sentence", () => {
    const names = all.map(({ rule }) => rule.name);
    assert.equal(new Set(names).size, names.length);
    for (const { rule } of all) {
      assert.match(rule.name, /^Lucid[A-Z][A-Za-z]+$/);
      assert.match(rule.summary, /^(\{\{ \$|[A-Z]).{20,}[^.]$/, rule.name);
    }
  });

  it("fire at once where enforcement is lost", () => {
    const lost = all.find(({ rule }) => rule.name === "LucidEnforcementLost")?.rule ?? assert.fail();
    assert.deepEqual([lost.for, lost.severity], [undefined, "critical"]);
  });

  it("name the job that they believe in every selector", () => {
    for (const { rule } of all) {
      const selectors = selectorsOf(rule.expression);
      assert.ok(selectors.length > 0, rule.name);
      for (const { labels, text } of selectors) assert.ok(labels.includes("job"), `${rule.name}: ${text}`);
      // No metric stands bare, without the braces in which the job is named.
      const rest = rule.expression.replace(/([a-zA-Z_:][\w:]*)?\{[^}]*\}|"[^"]*"|by \([^)]*\)/g, "");
      assert.doesNotMatch(rest, /\b(envoy|lucid_controller|prometheus)_\w+|\bup\b/, rule.name);
    }
  });

  it("are loaded by Prometheus, with its configuration", () => {
    const files = { "prometheus.yaml": prometheusConfig(lucid), [ALERTS_FILE]: alertRulesFile(groups) };
    const { content, output } = promtool(files, "check", "config", "prometheus.yaml");
    assert.ok(content, output);
    assert.match(output, new RegExp(`${String(all.length)} rules found`));
  });

  it("ask the controller for metrics and labels that it has", async () => {
    const exposition = await controllersOwn();
    for (const { rule } of all) {
      for (const { names, labels } of selectorsOf(rule.expression)) {
        for (const name of names.filter((one) => one.startsWith("lucid_"))) {
          const lines = exposition.filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
          assert.ok(lines.length > 0, `${rule.name}: the controller has no ${name}`);
          const own = labels.filter((one) => one !== "job" && one !== "service");
          // Prometheus sets `exported_` before a label of the controller's that the target has too.
          for (const label of own.map((one) => one.replace(/^exported_/, ""))) {
            assert.ok(
              lines.some((line) => line.includes(`${label}="`)),
              `${rule.name}: ${name} has no label ${label}`,
            );
          }
        }
      }
      // What a rule calls zone or service is what the controller calls so.
      for (const [, label = ""] of rule.expression.matchAll(/"exported_(\w+)"/g)) {
        assert.ok(
          exposition.some((line) => line.includes(`${label}="`)),
          label,
        );
      }
    }
  });

  it("count among registration what the controller does at the discovery backend, and nothing else", () => {
    const source = (file: string) => readFileSync(join(checkoutDir, "services", "controller", "src", file), "utf8");
    const steps = ["consul/plan.ts", "etcd/plan.ts"].flatMap((file) =>
      [...source(file).matchAll(/readonly kind: ((?:"[\w-]+"(?: \| )?)+)/g)].flatMap(([, kinds = ""]) =>
        [...kinds.matchAll(/"([\w-]+)"/g)].map(([, kind = ""]) => kind),
      ),
    );
    assert.ok(steps.length >= 6, steps.join());
    const others = ["leader.ts", "views.ts", "main.ts", "controller.ts"].flatMap((file) =>
      [...source(file).matchAll(/fail(?:ed|ure)\((?:[\w."]+, )?"([\w-]+)"\)/g)].map(([, operation = ""]) => operation),
    );
    const registration = /operation=~"([^"]*)"/.exec(
      all.find(({ rule }) => rule.name === "LucidRegistrationFailing")?.rule.expression ?? "",
    )?.[1];
    const isRegistration = (operation: string) => new RegExp(`^(${registration ?? ""})$`).test(operation);
    assert.deepEqual(
      [...steps, "compare", "keep"].filter((step) => !isRegistration(step)),
      [],
    );
    assert.deepEqual([...new Set(others.filter(isRegistration))].sort(), ["compare", "keep"]);
    assert.deepEqual([...new Set(others.filter((operation) => !isRegistration(operation)))].sort(), [
      "canary",
      "distribute",
      "drift",
      "elect",
      "inspect",
      "mirror-keys",
      "watch-leases",
      "watch-pods",
      "watch-services",
      "write-status",
    ]);
  });

  it("do not grow with services, nor change with one more", () => {
    const document = readFileSync(join(checkoutDir, "mesh.yaml"), "utf8");
    const more = document
      .replace("ops: { members: [", "ops: { members: [another, ")
      .concat("\n  - { name: another, plane: ops, image: a/b:1, ports: [{ name: http, port: 8080 }] }\n");
    const grown = loadMesh(more, "mesh.yaml", { tracing: true });
    assert.equal(grown.services.length, lucid.services.length + 1);
    assert.equal(alertRulesFile(alertGroups(grown, SETTINGS)), alertRulesFile(groups));
  });

  it("ask nobody who tells no metrics", () => {
    const silent: Mesh = { ...lucid, services: lucid.services.map((service) => ({ ...service, metrics: undefined })) };
    const text = alertRulesFile(alertGroups(silent, SETTINGS));
    assert.doesNotMatch(text, /lucid_controller|applications-|prometheus_/);
    assert.match(text, /LucidCallsFailing/);
    const { content, output } = promtool({ "rules.yaml": text }, "check", "rules", "rules.yaml");
    assert.ok(content, output);
  });

  it("leave out of refused identity tokens the ports whose end users bring tokens of their own", () => {
    const of = (mesh: Mesh) =>
      alertGroups(mesh, SETTINGS)
        .flatMap(({ rules }) => rules)
        .find(({ name }) => name === "LucidTokensRefused")?.expression ?? "";
    const mesh = authenticatedMesh();
    const ports = mesh.services.flatMap((service) => service.ports.filter(({ endUsers }) => endUsers !== undefined));
    assert.ok(ports.length > 0);
    for (const { name } of ports) assert.match(of(mesh), new RegExp(`lucid_port!~"([a-z0-9-]+\\|)*${name}[|"]`));
    assert.doesNotMatch(of(lucid), /lucid_port!~/);
  });

  it("hold no port that streams to the time of an answer", () => {
    const slow = all.find(({ rule }) => rule.name === "LucidCallsSlow")?.rule.expression ?? "";
    const ports = (/lucid_callee_port=~"([^"]*)"/.exec(slow)?.[1] ?? "").split("|");
    assert.deepEqual(ports, ["http", "query"]);
  });
});

describe("runbooks", () => {
  const pages = readdirSync(RUNBOOKS).filter((page) => page !== "README.md");

  it("have a section for each alert, and none for another", () => {
    const expected = groups.map(({ name, rules }) => [`${name}.md`, rules.map((rule) => rule.name)] as const);
    assert.deepEqual(pages.map((page) => [page, headings(page)] as const).sort(), [...expected].sort());
    for (const { group, rule } of all) {
      assert.equal(runbookOf(group, rule), `docs/runbooks/${group.name}.md#${rule.name.toLowerCase()}`);
    }
  });

  it("say of each how bad it is, what it means, what to look at and what to do", () => {
    for (const { group, rule } of all) {
      const page = readFileSync(join(RUNBOOKS, `${group.name}.md`), "utf8");
      const section = page.split(`## ${rule.name}\n`)[1]?.split("\n## ")[0] ?? assert.fail(rule.name);
      const time =
        rule.for === undefined
          ? "at once"
          : `after ${rule.for === "1m" ? "a minute" : rule.for.replace("m", " minutes")}`;
      assert.ok(section.startsWith(`*${rule.severity}, ${time}.* `), `${rule.name}: *${rule.severity}, ${time}.*`);
      assert.match(section, /\*\*Look(\.|, do\.)\*\* \S/, rule.name);
      assert.match(section, /\*\*(Do\.|Look, do\.)\*\* \S/, rule.name);
    }
  });

  it("name alerts, checks and pages that there are", () => {
    const words = new Set<string>(CHECKS.flatMap(({ id, category }) => [id, category]));
    const names = new Set(all.map(({ rule }) => rule.name));
    for (const page of [...pages, "README.md"]) {
      const text = readFileSync(join(RUNBOOKS, page), "utf8");
      for (const [name] of text.matchAll(/Lucid[A-Z]\w+/g)) assert.ok(names.has(name), `${page}: ${name}`);
      for (const [, only = ""] of text.matchAll(/mesh check --only ([\w,-]+)/g))
        for (const word of only.split(",")) assert.ok(words.has(word), `${page}: mesh check --only ${word}`);
      for (const [, link = ""] of text.matchAll(/\]\(([^)]+)\)/g)) {
        const [file = "", anchor] = link.split("#");
        const target = join(RUNBOOKS, file === "" ? page : file);
        assert.ok(existsSync(target), `${page}: ${link}`);
        if (anchor === undefined) continue;
        const anchors = [...readFileSync(target, "utf8").matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
          heading
            .toLowerCase()
            .replace(/[^a-z0-9 _-]/g, "")
            .replaceAll(" ", "-"),
        );
        assert.ok(anchors.includes(anchor), `${dirname(target)}: ${page}: ${link}`);
      }
    }
  });
});

/** What the controller tells Prometheus, line by line, once it has done and seen something of each kind. */
async function controllersOwn(): Promise<string[]> {
  const metrics = new Metrics();
  const one = { zone: "ops", count: 1 } as const;
  const gauges: Gauges = {
    backlog: () => 1,
    canary: () => [{ layer: "network", outcome: "let-in", node: "node1", count: 1 }],
    clocks: () => [{ node: "node-1", seconds: 0 }],
    drift: () => [{ ...one, class: "isolation" }],
    driftLeft: () => [{ ...one, class: "isolation" }],
    instances: () => [{ ...one, status: "passing" }],
    serviceInstances: () => [{ ...one, service: "admin-ui", state: "ready" }],
    certificateEnds: () => [{ zone: "ops", service: "admin-ui", end: 1 }],
    certificateRenewals: () => [{ zone: "ops", service: "admin-ui", renewal: 1 }],
    overdueCertificates: () => [one],
    nodesDead: () => 1,
    leading: () => true,
    services: () => [{ ...one, ready: "True" }],
  };
  metrics.expose(gauges);
  metrics.failure("ops", "register");
  metrics.repaired("ops", "isolation");
  metrics.registryRequest("ops", 0.1, "200");
  return (await metrics.text()).split("\n");
}
