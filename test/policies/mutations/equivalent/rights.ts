/** About rights in Kubernetes, and admission. */
import type { Argument } from "./argument";

export const RIGHTS: readonly Argument[] = [
  {
    survives: /: (Cluster)?Role [\w<>-]+( (rules\b.*)?)?$/,
    why: "takes rights from the controller, or gives it others that are no powers: each role is judged by itself, and bindings lead to who may ask the Kubernetes API alone",
  },
  {
    survives: /: (Cluster)?RoleBinding [\w<>-]+( (subjects\b.*|roleRef\.name|))?$/,
    why: "takes rights from the controller, or gives it those of another judged role: bindings lead to who may ask the Kubernetes API alone",
  },
  {
    survives: /: ClusterRoleBinding [\w<>-]+ metadata\.name$/,
    why: "gives the same rights to the same account under another name",
  },
  {
    survives: /: Image [\w<>-]+( |$)/,
    why: "is of how an image is built, whose source is reviewed with the program: pods name a listed repository and an exact version by themselves",
  },
];
