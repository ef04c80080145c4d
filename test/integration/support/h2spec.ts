/** h2spec, judged: what of HTTP/2 (RFC 7540) and HPACK (RFC 7541) an inbound listener does not keep is a closed list. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { DEVIATIONS } from "./http2-deviations";

/** How often a case that failed is asked again. */
const ATTEMPTS = 8;

/** Runs h2spec to its end with these arguments, whatever its exit code. */
export type RunH2spec = (args: readonly string[]) => Promise<unknown>;

/**
 * Runs every case against 127.0.0.1:`port` in plain text, where something stands that adds the mutual TLS.
 *
 * @throws AssertionError where a case fails that is not listed, or a listed one passes
 */
export async function judgeHttp2(port: number, run: RunH2spec): Promise<void> {
  const ask = (...sections: readonly string[]) => casesOf(port, run, sections);
  const all = await ask("generic", "http2", "hpack");
  const failed = all.filter((candidate) => candidate.failed);
  console.log(`      ${String(all.length)} cases, ${String(all.length - failed.length)} passed`);
  assert.ok(all.length >= 140, `h2spec ran ${String(all.length)} cases`);
  const [listed, others] = [failed.filter(isListed), failed.filter((candidate) => !isListed(candidate))];
  assert.deepEqual(names(listed), Object.keys(DEVIATIONS).sort(), "listed, but passed");
  assert.deepEqual(await neverPassing(others, ask), []);
}

interface Case {
  /** `<section>: <title>`. */
  readonly name: string;
  readonly section: string;
  readonly failed: boolean;
}

function isListed({ name }: Case): boolean {
  return name in DEVIATIONS;
}

/**
 * Of cases that failed, those that go on failing. h2spec carries no identity token, so each of its requests is refused at once; where the refusal is on its
 * way before the frame that should be objected to, the case reads the refusal. Asked again, the frame is first.
 */
async function neverPassing(
  failed: readonly Case[],
  ask: (...sections: readonly string[]) => Promise<Case[]>,
): Promise<string[]> {
  let left = names(failed);
  for (let attempt = 1; attempt <= ATTEMPTS && left.length > 0; attempt++) {
    console.log(`      asked again: ${left.join("; ")}`);
    const sections = new Set(failed.filter(({ name }) => left.includes(name)).map(({ section }) => section));
    const passed = names((await ask(...sections)).filter((candidate) => !candidate.failed));
    left = left.filter((name) => !passed.includes(name));
  }
  return left;
}

function names(cases: readonly Case[]): string[] {
  return cases.map(({ name }) => name).sort();
}

async function casesOf(port: number, run: RunH2spec, sections: readonly string[]): Promise<Case[]> {
  const folder = mkdtempSync(path.join(tmpdir(), "lucid-h2spec-"));
  try {
    const junit = path.join(folder, "report.xml");
    await run(["-h", "127.0.0.1", "-p", String(port), "-P", "/any", "-o", "2", "-j", junit, ...sections]);
    return parse(readFileSync(junit, "utf8"));
  } finally {
    rmSync(folder, { recursive: true });
  }
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
