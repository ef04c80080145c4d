import assert from "node:assert/strict";
import { LUCID_CEILING } from "../../../policies/ceiling";
import type { Ceiling } from "../../../policies/ceiling";
import { Field } from "../../../policies/judgement/field";
import { plainCopy } from "../../../policies/judgement/plain";
import { judgeResource } from "../../../policies/judgement/rule";
import type { ResourceRule } from "../../../policies/judgement/rule";
import { edit } from "./edit";
import type { Json, JsonObject } from "./edit";
import { asHandedOver } from "./unknown";

/** A resource as a program registers it. */
export interface TestResource {
  readonly type: string;
  readonly properties: JsonObject;
}

/** One change of a happy resource, and what a rule must say to it. */
export interface Mutation {
  /** What the change amounts to. */
  readonly title: string;
  readonly path: string;
  /** The new value; leave it out to remove the field. */
  readonly value?: Json;
  /** Part of the finding. */
  readonly finds: RegExp;
}

/** What a rule finds in a resource whose properties arrive as CrossGuard hands them over, as `path: problem; mend` each. */
export function findings(rule: ResourceRule, resource: TestResource, ceiling: Ceiling = LUCID_CEILING): string[] {
  if (!rule.concerns(resource.type)) return [];
  const properties = new Field(plainCopy(asHandedOver(resource.properties)));
  return judgeResource(rule, { type: resource.type, name: "test", properties }, ceiling).map(
    ({ path, problem, mend }) => `${path}: ${problem}; ${mend}`,
  );
}

export function assertPasses(rule: ResourceRule, resource: TestResource, ceiling?: Ceiling): void {
  assert.deepEqual(findings(rule, resource, ceiling), []);
}

export function assertFinds(rule: ResourceRule, resource: TestResource, expected: RegExp, ceiling?: Ceiling): void {
  const found = findings(rule, resource, ceiling);
  assert.ok(
    found.some((finding) => expected.test(finding)),
    `expected a finding like ${String(expected)}, found ${JSON.stringify(found, undefined, 2)}`,
  );
}

/** Checks that one of several texts is the expected one. */
export function assertTold(found: readonly string[], expected: RegExp): void {
  assert.ok(
    found.some((text) => expected.test(text)),
    `expected ${String(expected)}, found ${JSON.stringify(found, undefined, 2)}`,
  );
}

/** Declares the tests of a rule that starts from a happy resource and changes one field at a time. */
export function refusesEach(rule: ResourceRule, happy: () => TestResource, mutations: readonly Mutation[]): void {
  it("passes the happy case", () => {
    assertPasses(rule, happy());
  });
  for (const { title, path, value, finds } of mutations) {
    it(`refuses ${title}`, () => {
      const resource = happy();
      assertFinds(rule, { ...resource, properties: edit(resource.properties, path, value) }, finds);
    });
  }
}
