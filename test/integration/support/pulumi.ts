import { offeringConsul } from "../../../dev/consul-forward";
import { withStack } from "../../../dev/pulumi";
import { projectDir, pulumiEnvironment } from "../../../dev/pulumi-environment";
import { stackTarget } from "../../../dev/stack";
import { runPulumi, type Run } from "../../run-pulumi";

/** Runs Pulumi on the deployed stack, as `npm start` does. Output is gathered; a secret may be in it where `--show-secrets` was asked for. */
export async function pulumi(...args: string[]): Promise<Run> {
  const environment = await pulumiEnvironment(stackTarget());
  return offeringConsul(environment, (env) => runPulumi(withStack(environment, args), env, projectDir));
}
