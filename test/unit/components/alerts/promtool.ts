/** Prometheus's own tool, asked what rules do. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dump } from "js-yaml";

const PROMTOOL = "/usr/bin/promtool";

/** Seconds between two samples, and between two evaluations: the program's own. */
export const STEP = 15;

/** One series of the past, a sample every {@link STEP} seconds. */
export interface PastSeries {
  /** `up{job="sidecars-ops"}`. */
  readonly series: string;
  readonly samples: readonly number[];
}

/** What an alert is expected to say at a time; undefined: it does not fire. */
export interface Expectation {
  readonly alert: string;
  /** Seconds since the first sample. */
  readonly at: number;
  readonly fires?: readonly {
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  }[];
}

/** Runs `promtool <arguments>` beside these files, by their names. @returns what it printed, and whether it was content */
export function promtool(
  files: Readonly<Record<string, string>>,
  ...words: readonly string[]
): { readonly content: boolean; readonly output: string } {
  const folder = mkdtempSync(join(tmpdir(), "lucid-rules-"));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const { status, stdout, stderr, error } = spawnSync(PROMTOOL, words, { cwd: folder, encoding: "utf8" });
    if (error !== undefined) throw error;
    return { content: status === 0, output: `${stdout}${stderr}` };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Has Prometheus evaluate rules over a past. @returns what is not as expected; empty where all is */
export function evaluated(rules: string, past: readonly PastSeries[], expected: readonly Expectation[]): string {
  const test = {
    rule_files: ["rules.yaml"],
    evaluation_interval: `${String(STEP)}s`,
    tests: [
      {
        interval: `${String(STEP)}s`,
        input_series: past.map(({ series, samples }) => ({
          series,
          values: samples.join(" "),
        })),
        alert_rule_test: expected.map(({ alert, at, fires = [] }) => ({
          eval_time: `${String(at)}s`,
          alertname: alert,
          exp_alerts: fires.map(({ labels, annotations }) => ({ exp_labels: labels, exp_annotations: annotations })),
        })),
      },
    ],
  };
  const { content, output } = promtool(
    { "rules.yaml": rules, "test.yaml": dump(test, { lineWidth: -1, noRefs: true }) },
    "test",
    "rules",
    "test.yaml",
  );
  return content ? "" : output;
}
