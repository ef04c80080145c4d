import type { OperationContext } from "../protocol/provider";
import type { Connection, Reachable } from "./connection";
import { Scopes } from "./discovery";
import { kindOfObject } from "./kinds";
import type { KubeObject } from "./objects";
import type { Settings } from "./settings";

/** One configured provider: what it was told, the cluster it found, and what it learnt of the program. */
export class Session {
  readonly scopes = new Scopes();
  private hasSaidUnreachable = false;

  constructor(
    readonly settings: Settings,
    readonly connection: Connection,
  ) {}

  /** The cluster, where one is needed. Throws with the reason why there is none. */
  cluster(): Reachable {
    if (!this.connection.reachable) {
      throw new Error(`configured Kubernetes cluster is unreachable: ${this.connection.reason}`);
    }
    return this.connection;
  }

  /** Says once that there is no cluster, so that a wrong kubeconfig shows at the preview already. */
  sayIfUnreachable(context: OperationContext): void {
    if (!this.connection.reachable && !this.hasSaidUnreachable) {
      this.hasSaidUnreachable = true;
      context.log(
        "info",
        `no Kubernetes cluster is in reach, so previews show the inputs alone (${this.connection.reason})`,
      );
    }
  }

  /** Whether objects of this kind lie in a namespace. */
  async isNamespaced(object: KubeObject): Promise<boolean> {
    const discovery = this.connection.reachable ? this.connection.discovery : undefined;
    return await this.scopes.isNamespaced(kindOfObject(object), discovery);
  }
}
