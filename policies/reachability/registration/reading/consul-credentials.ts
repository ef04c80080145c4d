import { Authorizer, UnknownRule, ruleText } from "../../../consul/acl/authorizer";
import type { GroundedRule } from "../../../consul/acl/authorizer";
import { UnknownBinding, login, representativeAccounts } from "../../../consul/acl/login";
import type { Account } from "../../../consul/acl/login";
import { NO_GRANTS } from "../../../consul/acl/objects";
import type { AclObjects, AuthMethod } from "../../../consul/acl/objects";
import { UnknownGrant, contested, resolveRules } from "../../../consul/acl/resolve";
import type { ObjectFinding } from "../../network";
import { partyOf } from "../../party";
import type { ConsulCredential } from "../consul";
import type { Holder } from "../model";
import { MANAGEMENT_TOKEN } from "./holdings";
import type { Holdings } from "./holdings";
import { ANONYMOUS_TOKEN } from "./planned-acl";
import type { HoldersOf } from "./readers";

/** The datacenter of the mesh's Consul. */
const DATACENTER = "dc1";
const JUDGED_METHOD = "kubernetes";

/** Who has which rights at Consul: bearers of tokens, and whoever may log in. */
export class ConsulCredentials {
  readonly credentials: ConsulCredential[] = [];
  readonly findings: ObjectFinding[] = [];

  constructor(
    private readonly objects: AclObjects,
    private readonly holdersOf: HoldersOf,
    /** In which objects tokens lie; undefined where nobody knows. */
    private readonly holdings: Pick<Holdings, "tokens"> | undefined,
  ) {}

  /** @param accounts ServiceAccounts that there are */
  read(accounts: readonly Account[]): this {
    const [holder] = this.holders(MANAGEMENT_TOKEN) ?? [];
    if (holder !== undefined)
      this.add(MANAGEMENT_TOKEN, holder.place.object, this.holders(MANAGEMENT_TOKEN), () =>
        resolveRules({ ...NO_GRANTS, policies: ["global-management"] }, this.objects, DATACENTER),
      );
    for (const token of this.objects.tokens)
      this.add(token.title, token.title, this.holders(token.title), () =>
        resolveRules(token, this.objects, DATACENTER),
      );
    for (const method of this.objects.authMethods) this.addLogins(method, accounts);
    for (const { title, authMethod } of this.objects.bindingRules)
      if (this.objects.authMethods.every(({ name }) => name !== authMethod))
        this.find(
          title,
          `it is of the method ${authMethod}, which is not among the objects, so that nobody can tell who logs in by it`,
          "declare the method with it",
        );
    return this;
  }

  private holders(token: string): readonly Holder[] | undefined {
    if (token === ANONYMOUS_TOKEN)
      return [{ party: "whoever shows no token", place: { object: ANONYMOUS_TOKEN, path: "" } }];
    return this.holdings && this.holdersOf(this.holdings.tokens.get(token) ?? []);
  }

  private addLogins(method: AuthMethod, accounts: readonly Account[]): void {
    if (method.type !== JUDGED_METHOD) {
      if (this.objects.bindingRules.some(({ authMethod }) => authMethod === method.name))
        this.find(
          method.title,
          `it can't be told who logs in by a method of type ${method.type}`,
          "let ServiceAccounts log in by a method of type kubernetes, or take its binding rules out",
        );
      return;
    }
    this.judged(method.title, () => {
      for (const account of representativeAccounts(accounts, this.objects)) {
        const given = login(account, method, this.objects);
        if (given === undefined) continue;
        const rules = given.rules.map(({ title }) => title);
        const who = `${account.namespace}/${account.name}`;
        const party = partyOf({ namespace: { name: account.namespace }, account: account.name });
        const place = { object: rules[0] ?? method.title, path: "" };
        this.add(
          `a login of ServiceAccount ${who} at ${method.title} by ${rules.join(", ")}`,
          place.object,
          [{ party, place }],
          () => resolveRules(given, this.objects, DATACENTER),
        );
      }
    });
  }

  private add(
    title: string,
    object: string,
    holders: ConsulCredential["holders"],
    read: () => readonly GroundedRule[],
  ): void {
    this.judged(object, () => {
      const rules = read();
      for (const same of contested(rules))
        this.find(
          object,
          `policies of one bearer don't say the same of the same services (${same.map((rule) => `${rule.ground}, ${ruleText(rule)}`).join("; ")}): once Consul has merged them, whoever has either of them may have what the other says`,
          "say it all in one policy",
        );
      this.credentials.push({ title, place: { object, path: "" }, holders, authorizer: new Authorizer(rules) });
    });
  }

  private judged(object: string, read: () => void): void {
    try {
      read();
    } catch (error) {
      if (error instanceof UnknownBinding)
        this.find(
          error.rule.title,
          error.message,
          "compare by `==` and `!=`, and put in `${serviceaccount.name}` and the namespace alone",
        );
      else if (error instanceof UnknownGrant)
        this.find(object, `what it gives can't be judged: ${error.message}`, "declare it in the same stack");
      else if (error instanceof UnknownRule)
        this.find(object, error.message, "take the rule out, or have the evaluator model it");
      else throw error;
    }
  }

  private find(object: string, problem: string, mend: string): void {
    this.findings.push({ object, path: "", problem, mend });
  }
}
