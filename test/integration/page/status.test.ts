/** The status page in a real browser, as the controller's own server sends it. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import type { Server } from "node:http";
import * as path from "node:path";
import type { Browser, Page } from "playwright-core";
import type { Overview } from "../../../mesh/overview/model";
import { createLog } from "../../../services/controller/src/log";
import type { Metrics } from "../../../services/controller/src/metrics";
import { serve } from "../../../services/controller/src/server";
import { freePorts } from "../../../services/controller/test/support/consul";
import { SCHEMES, WIDTHS, launch, open } from "./browser";
import { HOSTILE, largeMesh, past, troubledMesh, wellMesh } from "./meshes";

const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
/** Where pictures are put, if anywhere: they are for people. */
const PICTURES = process.env.LUCID_PICTURES;
const MESHES = { "a mesh that is well": wellMesh, "a mesh in trouble": troubledMesh, "a thousand services": largeMesh };
type Size = keyof typeof WIDTHS;

describe("status page", function () {
  this.timeout(120_000);
  let browser: Browser;
  let server: Server;
  let url = "";
  let shown: Overview = wellMesh();
  let asked = 0;

  before(async () => {
    browser = await launch();
    const [port = 0] = await freePorts(1);
    const api = {
      overview: () => {
        asked += 1;
        return shown;
      },
      history: past,
    };
    const parts = { views: { zones: [] }, api } as unknown as Parameters<typeof serve>[2];
    const log = createLog("error", () => undefined);
    server = await serve("127.0.0.1", port, parts, undefined as unknown as Metrics, log);
    url = `http://127.0.0.1:${String(port)}/`;
  });
  after(async () => {
    await browser.close();
    server.close();
    server.closeAllConnections();
  });

  /** What axe-core finds: WCAG 2.2 A and AA, and its best practices. */
  const faults = async (page: Page): Promise<readonly string[]> => {
    await page.evaluate(AXE);
    const { violations } = await page.evaluate<{
      violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[];
    }>("axe.run()");
    return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ""} ${nodes[0]?.failureSummary ?? ""}`);
  };
  const picture = async (page: Page, name: string): Promise<void> => {
    if (PICTURES === undefined) return;
    mkdirSync(PICTURES, { recursive: true });
    await page.screenshot({ path: path.join(PICTURES, `${name}.png`), fullPage: !name.includes("thousand") });
  };

  for (const [title, mesh] of Object.entries(MESHES))
    for (const size of Object.keys(WIDTHS) as Size[])
      for (const scheme of SCHEMES)
        it(`shows ${title} on a ${size}, ${scheme}: nothing overflows, asks elsewhere or is out of reach`, async () => {
          shown = mesh();
          const { page, context, troubles } = await open(browser, url, { size, scheme });
          try {
            assert.equal(await page.locator("#verdict").getAttribute("data-state"), shown.mesh.state);
            const [inner, whole] = await page.evaluate<[number, number]>(
              "[innerWidth, document.documentElement.scrollWidth]",
            );
            assert.ok(whole <= inner, `${String(whole)} of ${String(inner)} pixels`);
            await picture(page, `${title.replaceAll(" ", "-")}-${size}-${scheme}`);
            // Of a thousand services every kind of element is there in the others, too.
            if (mesh !== largeMesh) {
              await page.locator("summary").click();
              assert.deepEqual(await faults(page), []);
            }
            assert.deepEqual(troubles, []);
          } finally {
            await context.close();
          }
        });

  it("is looked at by an axe that cuts", async () => {
    const { page, context } = await open(browser, url);
    await page.evaluate(
      "document.documentElement.removeAttribute('lang'); document.querySelector('svg').removeAttribute('aria-label')",
    );
    const found = await faults(page);
    assert.deepEqual(found.map((fault) => fault.split(":")[0]).sort(), ["html-has-lang", "svg-img-alt"]);
    await context.close();
  });

  it("shows each service, each edge and each certificate, and what is wrong", async () => {
    shown = troubledMesh();
    const { page, context } = await open(browser, url);
    await page.locator("summary").click();
    const text = await page.locator("main").innerText();
    for (const { name } of shown.services) assert.ok(text.includes(name), name);
    for (const { from, to } of shown.edges.filter(({ from: name }) => !HOSTILE.some((one) => name === one)))
      assert.ok(text.includes(`${from} → ${to}`), `${from} → ${to}`);
    assert.match(text, /ended/);
    assert.match(text, /Not compared\./);
    assert.match(text, /And 248 more/);
    assert.equal(await page.locator("svg .arrow.failing").count(), 1);
    assert.equal(await page.locator("svg .node.failing").count(), 1);
    await context.close();
  });

  it("shows what fires before all else, the worst first, and where it is said what to do", async () => {
    shown = troubledMesh();
    const { page, context } = await open(browser, url);
    const [heading = ""] = await page.locator("main h2").allInnerTexts();
    assert.equal(heading, "Alerts");
    const text = await page.locator('section[aria-labelledby="alerts"]').innerText();
    assert.match(text, /LucidEnforcementLost\s+critical\s+2026-06-01 11:48 UTC\s+In ops something runs/);
    assert.match(text, /docs\/runbooks\/enforcement\.md#lucidenforcementlost/);
    assert.match(text, /And 247 more/);
    assert.match(text, /2 more hold, and not for long enough yet/);
    assert.match(text, /can't be evaluated/);
    await context.close();
  });

  it("says that nothing fires where that is known, and else that it isn't", async () => {
    shown = wellMesh();
    const { page, context } = await open(browser, url);
    assert.match(await page.locator('section[aria-labelledby="alerts"]').innerText(), /None of 36 rules fires\./);
    const unknown: readonly (readonly [Overview["alerts"]["state"], RegExp])[] = [
      ["off", /was told of no Prometheus: whether an alert fires is not known/],
      ["never", /has not told of its alerts \(Prometheus answers 403\): whether one fires is not known/],
      ["stale", /does not tell of its alerts since 2026-06-01 12:00 UTC: whether one fires now is not known/],
    ];
    for (const [state, says] of unknown) {
      shown = { ...wellMesh(), alerts: { ...wellMesh().alerts, state, error: "Prometheus answers 403" } };
      await page.reload();
      const text = await page.locator('section[aria-labelledby="alerts"]').innerText();
      assert.match(text, says);
      assert.doesNotMatch(text, /None/);
    }
    await context.close();
  });

  it("takes no name, reason or message for markup", async () => {
    shown = troubledMesh();
    const { page, context, troubles } = await open(browser, url);
    assert.equal(await page.locator("img, iframe, object, embed, link, form, base").count(), 0);
    assert.equal(await page.locator("script").count(), 1);
    const handlers = await page.evaluate<number>(
      "[...document.querySelectorAll('*')].filter((one) => one.getAttributeNames().some((name) => name.startsWith('on'))).length",
    );
    assert.equal(handlers, 0);
    await page.clock.fastForward(11_000);
    assert.deepEqual(troubles, []);
    await context.close();
  });

  it("lets nothing run but its own script, whoever puts it there", async () => {
    const { page, context } = await open(browser, url);
    const [ran, fetched] = await page.evaluate<[boolean, boolean]>(`(async () => {
      const script = document.createElement("script");
      script.textContent = "globalThis.ran = true";
      document.body.append(script);
      const fetched = await fetch("${url.replace("127.0.0.1", "localhost")}").then(() => true, () => false);
      return [globalThis.ran === true, fetched];
    })()`);
    assert.equal(fetched, false);
    assert.equal(ran, false);
    const response = await page.request.get(url);
    const policy = response.headers()["content-security-policy"] ?? "";
    assert.match(
      policy,
      /^default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-[^']+'; connect-src 'self';/,
    );
    assert.match(policy, /frame-ancestors 'none'$/);
    assert.doesNotMatch(policy, /unsafe|\*/);
    await context.close();
  });

  it("is live: shows what has changed, reads the state out, and keeps what was opened and focused", async () => {
    shown = wellMesh();
    const { page, context, troubles } = await open(browser, url);
    await page.locator("summary").focus();
    await page.keyboard.press("Enter");
    assert.equal(await page.locator("details").getAttribute("open"), "");
    assert.equal(await page.locator("#news").innerText(), "");
    shown = troubledMesh();
    await page.clock.fastForward(11_000);
    await page.locator('#verdict[data-state="failing"]').waitFor();
    assert.equal(await page.locator("#news").innerText(), "The mesh is failing.");
    assert.equal(await page.locator("details").getAttribute("open"), "");
    assert.equal(await page.evaluate("document.activeElement.tagName"), "SUMMARY");
    assert.deepEqual(await faults(page), []);
    assert.deepEqual(troubles, []);
    await context.close();
  });

  it("can be paused, and goes on", async () => {
    shown = wellMesh();
    const { page, context } = await open(browser, url);
    await page.getByRole("button", { name: "Pause updates" }).click();
    const before = asked;
    shown = troubledMesh();
    await page.clock.fastForward(60_000);
    assert.equal(asked, before);
    assert.equal(await page.locator("#verdict").getAttribute("data-state"), "well");
    await page.getByRole("button", { name: "Go on updating" }).click();
    await page.clock.fastForward(11_000);
    await page.locator('#verdict[data-state="failing"]').waitFor();
    await context.close();
  });

  it("says when the controller gives no answer, and when it does again", async () => {
    shown = wellMesh();
    const { page, context } = await open(browser, url);
    await page.route("**/*", (route) => route.fulfill({ status: 503, body: "" }));
    await page.clock.fastForward(11_000);
    await page.getByText("The controller gives no answer: what is shown is old.").waitFor();
    await page.unroute("**/*");
    await page.clock.fastForward(11_000);
    await page.getByText("The controller answers again.").waitFor();
    await context.close();
  });

  it("is reached by keyboard in the order in which it is read", async () => {
    shown = wellMesh();
    const { page, context } = await open(browser, url);
    const order: string[] = [];
    for (let step = 0; step < 6; step += 1) {
      await page.keyboard.press("Tab");
      order.push(
        await page.evaluate<string>(
          "document.activeElement.getAttribute('aria-label') ?? document.activeElement.tagName",
        ),
      );
    }
    assert.deepEqual(order, [
      "BUTTON",
      "Services by state, and the last day",
      "Drawn calls",
      "SUMMARY",
      "Every declared service",
      "As issued last, the first to end first",
    ]);
    await context.close();
  });

  it("shows the instant at which it was asked for where no script runs", async () => {
    shown = wellMesh();
    const { page, context } = await open(browser, url, { scripts: false });
    assert.match(await page.locator("#verdict").innerText(), /7 of 7 services are well/);
    assert.equal(await page.locator("#pause").isVisible(), false);
    await context.close();
  });
});
