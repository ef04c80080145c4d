import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { serverName } from "../../../../mesh/wire";
import type { MeshLab } from "../mesh-lab";
import { runTool } from "../tool";
import { DEVIATIONS } from "./http2-deviations";

const PORT = 8001;
/** How often a case that failed is asked again. */
const ATTEMPTS = 8;

/** h2spec against port 15001: what of HTTP/2 (RFC 7540) and HPACK (RFC 7541) the inbound listener does not keep is a closed list. */
export function http2Conformance(lab: () => MeshLab): void {
  describe("h2spec against the inbound listener", () => {
    it("fails in no case but the listed ones", async function () {
      this.timeout(300_000);
      const { stranger } = lab();
      await stranger.call("serveForwarder", {
        port: PORT,
        host: lab().host("blocks").address,
        serverName: serverName("http", "blocks", "wallet"),
        ...lab().leaf("router"),
      });
      const all = await h2spec(lab(), "generic", "http2", "hpack");
      const failed = all.filter((candidate) => candidate.failed && !(candidate.name in DEVIATIONS));
      console.log(`      ${String(all.length)} cases, ${String(all.filter((each) => !each.failed).length)} passed`);
      assert.ok(all.length >= 140, `h2spec ran ${String(all.length)} cases`);
      const deviating = all.filter((candidate) => candidate.failed && candidate.name in DEVIATIONS);
      assert.deepEqual(names(deviating), Object.keys(DEVIATIONS).sort(), "listed, but passed");
      assert.deepEqual(await neverPassing(lab(), failed), []);
    });
  });
}

/**
 * Of cases that failed, those that go on failing. h2spec carries no identity token, so each of its requests is refused at once; where the refusal is on its
 * way before the frame that should be objected to, the case reads the refusal. Asked again, the frame is first.
 */
async function neverPassing(lab: MeshLab, failed: readonly Case[]): Promise<string[]> {
  let left = names(failed);
  for (let attempt = 1; attempt <= ATTEMPTS && left.length > 0; attempt++) {
    console.log(`      asked again: ${left.join("; ")}`);
    const sections = new Set(failed.filter(({ name }) => left.includes(name)).map(({ section }) => section));
    const again = await h2spec(lab, ...sections);
    const passed = names(again.filter((candidate) => !candidate.failed));
    left = left.filter((name) => !passed.includes(name));
  }
  return left;
}

function names(cases: readonly Case[]): string[] {
  return cases.map(({ name }) => name).sort();
}

async function h2spec({ stranger }: MeshLab, ...sections: readonly string[]): Promise<Case[]> {
  const junit = path.join(stranger.directory, "h2spec.xml");
  const target = ["-h", "127.0.0.1", "-p", String(PORT), "-P", "/any", "-o", "2"];
  await runTool(stranger, "h2spec", [...target, "-j", junit, ...sections]);
  return parse(fs.readFileSync(junit, "utf8"));
}

interface Case {
  /** `<section>: <title>`. */
  readonly name: string;
  readonly section: string;
  readonly failed: boolean;
}

/** The cases of h2spec's JUnit report. */
function parse(xml: string): Case[] {
  const cases = [
    ...xml.matchAll(/<testcase package="([^"]*)" classname="([^"]*)"[^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g),
  ];
  return cases.map(([, section = "", title = "", body = ""]) => ({
    name: `${section}: ${title.replaceAll("&#39;", "'").replaceAll("&#34;", '"')}`,
    section,
    failed: body.includes("<failure") || body.includes("<error"),
  }));
}
