/** A cluster as checks ask it. Nothing here can change anything. */

/** A right, as Kubernetes asks for it. */
export interface Right {
  readonly verb: string;
  /** API group; `""` is the core. */
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
  /** Default: in all namespaces, or of what lies in none. */
  readonly namespace?: string;
  /** Default: objects of every name. */
  readonly name?: string;
}

/** What the API server's clock said, and this machine's around that answer. */
export interface ClockReading {
  /** To the second, cut off. */
  readonly server: Date;
  readonly asked: Date;
  readonly answered: Date;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

export interface Cluster {
  /** An object of the API. @throws ClusterError for every answer but 2xx */
  get(path: string): Promise<unknown>;
  /** All items of a list. @throws ClusterError */
  list(path: string): Promise<readonly unknown[]>;
  /** What a path outside of the API answers, whatever its status. */
  text(path: string): Promise<HttpAnswer>;
  /** Asks by a dry run whether an object could be made. @returns why not; undefined where it could. @throws ClusterError where no answer tells that */
  refusalOf(path: string, object: object): Promise<string | undefined>;
  /** Whether this user has a right. */
  may(right: Right): Promise<boolean>;
  clock(): Promise<ClockReading>;
  /** What a pod's container has written. @param previous of the run before this one */
  log(pod: PodRef, container: string, previous: boolean): Promise<string>;
  /** What a port on a pod's loopback answers to a GET, through a port-forward. */
  ask(pod: PodRef, port: number, path: string): Promise<HttpAnswer>;
}

export interface PodRef {
  readonly namespace: string;
  readonly name: string;
}

/** The API server refused, or said something else than what was asked for. */
export class ClusterError extends Error {
  override readonly name = "ClusterError";

  /** @param status of HTTP */
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** The API server gave no answer: nothing can be told of the cluster. */
export class UnreachableError extends Error {
  override readonly name = "UnreachableError";
}
