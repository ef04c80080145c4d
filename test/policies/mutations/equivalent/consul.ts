/** About Consul: its agents and its ACLs. */
import { isList } from "../place";
import type { Mutation } from "../mutation";
import type { Argument } from "./argument";

export const CONSUL: readonly Argument[] = [
  {
    survives: /: Acl(Policy|Token) [\w<>-]+ description$|^(drop of description|swap of description with name): Acl/,
    why: "is a description, or a name that nothing in the plan has then; by a token's the controller knows it again, which is held to what is declared, and tells of one that bears no name or another's",
  },
  {
    survives: /^(drop of |duplicate of |swap of (\}|acl = "(read|write)") with the next): AclPolicy [\w<>-]+ rules: $/,
    why: "moves or changes the empty line at the end of rules",
  },
  {
    survives: /^swap of content with [\w<>-]+: AclPolicy [\w<>-]+$/,
    why: "calls a policy otherwise in the program: tokens name it as Consul does",
  },
  {
    survives: /^(swap of content with [\w<>-]+|duplicate under its name): AclToken consul-[\w<>-]+-token$/,
    why: "gives a registrar another zone's token in place of its own, or the one that reads ACLs, or makes one more that nobody has: all of them are the controller's, and which stands under which name is not known before the update; it opens nothing",
  },
  {
    survives: /^duplicate of lucid-[\w<>-]+: AclToken consul-[\w<>-]+-token policies$/,
    why: "says the same policy twice",
  },
  {
    survives: /^add of another object's: AclToken consul-snapshots-token policies$/,
    where: addsAclReader,
    isRare: true,
    why: "lets who may write ACLs read them, which is part of it",
  },
  {
    survives: /: Secret (consul|node-resolver)-config (stringData\b|type\b|$)/,
    why: "leaves Consul's ACLs, encryption and listeners as they are judged to be: names, addresses of peers, timing; or it is one that Consul refuses to start with",
  },
  {
    survives: /^(drop|add|swap) of .*: Secret (consul|node-resolver)-config origin of stringData$/,
    why: "takes a key or a token from an agent, which then has no part in the mesh; what it is given instead is judged when it is known",
  },
  {
    survives: /\.containers\[consul\]\.(args|env)\b|\.containers\[(consul|coredns)\]$/,
    why: "names an agent otherwise, or leaves to the image what it says as well",
  },
  {
    survives: /\.containers\[snapshots\]\.env\[(SNAPSHOT_INTERVAL|SNAPSHOTS_KEPT|SNAPSHOT_METRICS_PORT)\]\.value$/,
    why: "takes snapshots more seldom, keeps others, or tells of them at another port of the pod's loopback",
  },
  {
    survives: /^drop of (consul|snapshots): StatefulSet consul-servers spec\.template\.spec\.containers$/,
    why: "leaves names unanswered, or no snapshot of them: `mesh check` tells",
  },
  {
    survives: /: Secret consul-snapshots (type|stringData(\.token)?)?$/,
    why: "gives who takes snapshots something that Consul does not know: which token it is made of is judged, and what it is, is known once it is made",
  },
  {
    survives: /\.volumes\[snapshot-token\]\.secret\.optional$/,
    why: "has Consul's servers wait for a token that comes after them",
  },
  {
    survives: /: ConfigMap node-resolver-corefile data\.Corefile: (\[\])?$/,
    why: "is of how long answers are kept, in which order that is said, and what kubelet asks: whom the resolver asks, for which names, and how it says that it knows none, is in lines that can't go, come or change",
  },
  {
    survives: /: RandomBytes consul-gossip-key (length)?$/,
    why: "makes a gossip key of a length that Consul refuses to start with, or another that it takes",
  },
  {
    survives: /: consul consul-acls-provider (address|scheme|token)?$|: consul consul-acls-provider origin of token$/,
    why: "has the program ask another port of this machine, where its token is refused or nobody listens",
  },
];

function addsAclReader({ change }: Mutation): boolean {
  return [...change.values()]
    .flat()
    .every(({ inputs: { policies } }) => isList(policies) && policies.at(-1) === "lucid-acl-reader");
}
