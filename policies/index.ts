import { PolicyPack } from "@pulumi/policy";
import { resourcePolicy, stackPolicy } from "./judgement/rule";
import { resourceRules, stackRules } from "./rules";

new PolicyPack("lucid-mesh", {
  policies: [...resourceRules.map(resourcePolicy), ...stackRules.map(stackPolicy)],
});
