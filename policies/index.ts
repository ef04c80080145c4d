import { PolicyPack } from "@pulumi/policy";
import { Pack } from "./judgement/pack";
import { resourceRules, stackRules } from "./rules";

new PolicyPack("lucid-mesh", { policies: new Pack(resourceRules, stackRules).policies() });
