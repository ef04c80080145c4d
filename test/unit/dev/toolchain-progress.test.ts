import * as assert from "node:assert/strict";

import { Stopped } from "../../../dev/toolchain/failure";
import { elapsed, Progress } from "../../../dev/toolchain/progress";

interface Stage {
  readonly progress: Progress;
  readonly written: () => string;
  readonly pass: (seconds: number) => void;
}

function stage(live: boolean, columns = 80): Stage {
  let time = 0;
  let text = "";
  const output = { columns, write: (part: string) => (text += part) };
  const progress = new Progress({ output, name: "toolchain", now: () => time, live, heartbeatSeconds: 30 });
  const pass = (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      time += 1000;
      progress.tick();
    }
  };
  return { progress, written: () => text, pass };
}

describe("toolchain: progress", () => {
  it("writes times as people read them", () => {
    const cases: readonly (readonly [number, string])[] = [
      [0, "0 s"],
      [59_400, "59 s"],
      [59_600, "1:00"],
      [65_000, "1:05"],
      [3_723_000, "1:02:03"],
    ];
    for (const [milliseconds, text] of cases) {
      assert.equal(elapsed(milliseconds), text);
    }
  });

  it("writes whole lines where there is no terminal, one each half minute of a long step", async () => {
    const { progress, written, pass } = stage(false);
    await progress.step("kubernetes", (step) => {
      pass(29);
      step.note("12 packages compiled");
      pass(36);
      return Promise.resolve();
    });
    assert.equal(
      written(),
      [
        "toolchain: kubernetes …",
        "toolchain: kubernetes: 30 s, 12 packages compiled",
        "toolchain: kubernetes: 1:00, 12 packages compiled",
        "toolchain: kubernetes: done in 1:05",
        "",
      ].join("\n"),
    );
    assert.ok(!written().includes("\u001b") && !written().includes("\r"), "no escape codes");
  });

  it("rewrites one line on a terminal, and never lets it wrap", async () => {
    const { progress, written, pass } = stage(true, 30);
    await Promise.all([
      progress.step("kubernetes 1.34.2", () => {
        pass(2);
        return Promise.resolve();
      }),
      progress.step("envoy 1.40.0", () => Promise.resolve()),
    ]);
    const frames = written().replaceAll("\r\u001b[K", "\n").split("\n");
    assert.ok(frames.includes("kubernetes 1.34.2: 2 s"), written());
    assert.ok(frames.every((frame) => frame.startsWith("toolchain: ") || frame.length < 30));
    assert.ok(written().endsWith("\n"), "nothing is left of the live line");
  });

  it("tells a step that failed from one that was stopped, and passes the error on", async () => {
    const { progress, written } = stage(false);
    await assert.rejects(
      progress.step("consul", () => Promise.reject(new Error("no"))),
      /^Error: no$/,
    );
    await assert.rejects(
      progress.step("jaeger", () => Promise.reject(new Stopped("jaeger"))),
      Stopped,
    );
    assert.match(written(), /consul: failed after 0 s\n/);
    assert.match(written(), /jaeger: stopped after 0 s\n/);
  });
});
