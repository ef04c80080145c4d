import { Unjudgeable } from "../../../judgement/field";
import type { Plain } from "../../../judgement/plain";
import type { ObjectFinding } from "../../network";
import { ConsulDirectory } from "../consul";
import { EtcdDirectory } from "../etcd";
import type { Directory } from "../model";
import { ConsulCredentials } from "./consul-credentials";
import { etcdCredentials } from "./etcd-credentials";
import type { Holdings } from "./holdings";
import { readKubernetes } from "./kubernetes";
import type { AclReading } from "./planned-acl";
import { holdersIn } from "./readers";

/** What of credentials Kubernetes' objects don't say. */
export interface Credentials {
  /** Consul's ACL objects; nothing is known of them unless given. */
  readonly acl?: AclReading;
  /** In which objects credentials lie; nobody knows unless given: what is in Secrets, only who makes them can tell. */
  readonly holdings?: Holdings;
}

export interface DirectoriesReading {
  /** Of each backend of which something is there. Undefined where something can't be judged: nothing may be concluded from the rest then. */
  readonly directories: readonly Directory[] | undefined;
  readonly findings: readonly ObjectFinding[];
}

/** Who has credentials of the discovery backends, and what they may do by them. */
export function readDirectories(objects: readonly Plain[], { acl, holdings }: Credentials): DirectoriesReading {
  const findings: ObjectFinding[] = [...(acl?.findings ?? [])];
  const directories: Directory[] = [];
  let object = "a pod or an account";
  try {
    const kubernetes = readKubernetes(objects);
    const holdersOf = holdersIn(kubernetes.templates);
    if (acl !== undefined) {
      const consul = new ConsulCredentials(acl.objects, holdersOf, holdings).read(kubernetes.accounts);
      findings.push(...consul.findings);
      if (consul.credentials.length > 0) directories.push(new ConsulDirectory(consul.credentials));
    }
    if (kubernetes.document !== undefined) {
      object = kubernetes.document.title;
      directories.push(new EtcdDirectory(etcdCredentials(kubernetes.document, holdersOf, holdings)));
    }
  } catch (error) {
    if (!(error instanceof Unjudgeable)) throw error;
    findings.push({ object, path: error.path, problem: error.problem, mend: error.mend });
  }
  return { directories: findings.length === 0 ? directories : undefined, findings };
}
