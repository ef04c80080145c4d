import assert from "node:assert/strict";
import { CHECKS } from "../../../../cli/check/all";
import type { Category, Check, Result, Status } from "../../../../cli/check/check";
import type { CheckContext } from "../../../../cli/check/context";
import type { BackendName } from "../../../../cli/check/discovery/backend";
import { runChecks } from "../../../../cli/check/runner";
import { titleOf } from "../../../../cli/check/cluster/objects";
import { recordedContext } from "./recorded-cluster";
import type { RecordedCluster } from "./recorded-cluster";
import type { Recorded, WorldName } from "./recorded";

/** Something that is wrong with a cluster, or a stack, and what the check of it says. */
export interface Fault {
  readonly id: string;
  readonly title: string;
  readonly make: (
    cluster: RecordedCluster,
    context: { -readonly [K in keyof CheckContext]: CheckContext[K] },
  ) => void | Promise<void>;
  /** Default: `failure`. */
  readonly status?: Status;
  /** Where it is found; default: that of the discovery backend. */
  readonly world?: WorldName;
  readonly says: RegExp;
}

/** Tests every check of a category, but for those about one discovery backend, on a mesh that is well, and on one with each of the faults. */
export function describeFaults(category: Category, faults: readonly Fault[]): void {
  const checks = CHECKS.filter((check) => check.category === category && check.backend === undefined);
  tried(category, checks, faults, "consul");
}

/** The same of the checks about a discovery backend, of all categories. */
export function describeBackendFaults(backend: BackendName, faults: readonly Fault[]): void {
  const checks = CHECKS.filter((check) => check.backend === backend);
  tried(`discovery by ${backend}`, checks, faults, backend);
}

function tried(title: string, checks: readonly Check[], faults: readonly Fault[], backend: BackendName): void {
  describe(`mesh check: ${title}`, function () {
    this.timeout(120_000);

    it("has a fault for each of its checks", () => {
      const ids = new Set(faults.map(({ id }) => id));
      assert.deepEqual(
        checks.map(({ id }) => id).filter((id) => !ids.has(id)),
        [],
      );
    });
    for (const check of checks) {
      it(`${check.id} holds of a mesh that is well`, async () => {
        for (const world of backend === "consul" ? ([backend, "issuers"] as const) : [backend]) {
          const { context } = await recordedContext(world);
          assert.deepEqual(withoutDetail(await resultOf(check, context)), { status: "ok" }, world);
        }
      });
    }
    for (const { id, title: fault, make, status = "failure", world = backend, says } of faults) {
      it(`${id} tells of ${fault}`, async () => {
        const { context, cluster } = await recordedContext(world);
        await make(cluster, context);
        const check = checks.find((one) => one.id === id);
        assert.ok(check, `there is no check ${id}`);
        const result = await resultOf(check, context);
        assert.equal(result.status, status, JSON.stringify(result));
        assert.match(textOf(result), says);
      });
    }
  });
}

/** A check by itself, whatever it needs. */
export async function resultOf(check: Check, context: CheckContext): Promise<Result> {
  const [outcome] = await runChecks([{ ...check, needs: [] }], context);
  assert.ok(outcome);
  return outcome.result;
}

function withoutDetail(result: Result): object {
  return result.status === "ok" ? { status: result.status } : result;
}

function textOf(result: Result): string {
  if (result.status === "ok") return "";
  return result.status === "skipped" ? result.reason : [result.detail, ...result.findings].join("\n");
}

/** An object of a recorded cluster, to be changed. */
export function find(cluster: RecordedCluster, kind: string, title: string): Recorded {
  const found = cluster.objects.find((one) => one.kind === kind && titleOf(one) === title);
  assert.ok(found, `there is no ${kind} ${title}`);
  return found;
}

/** Takes an object out of a recorded cluster. */
export function remove(cluster: RecordedCluster, kind: string, title: string): void {
  cluster.objects.splice(cluster.objects.indexOf(find(cluster, kind, title)), 1);
}

/** Adds an object to a recorded cluster. */
export function add(
  cluster: RecordedCluster,
  apiVersion: string,
  kind: string,
  title: string,
  rest: object = {},
): Recorded {
  const [first = "", second] = title.split("/");
  const metadata = second === undefined ? { name: first } : { namespace: first, name: second };
  const object = { apiVersion, kind, metadata, ...rest };
  cluster.objects.push(object);
  return object;
}

/** A field of an object, whatever its form. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the caller knows what it asks for
export function field<T = Record<string, unknown>>(object: unknown, ...path: readonly (string | number)[]): T {
  return path.reduce<unknown>((value, step) => {
    assert.ok(typeof value === "object" && value !== null, `nothing at ${String(step)}`);
    return (value as Record<string | number, unknown>)[step];
  }, object) as T;
}
