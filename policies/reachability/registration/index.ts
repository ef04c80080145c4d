/** Who may register, change, take away and look up which names at the discovery backends. What a sidecar answers its own application is the layer of names. */
export type { RegistrationDeclaration } from "./comparison/compare";
export type { ConsulItem } from "./consul";
export type { EtcdItem } from "./etcd";
export { registrationLayer } from "./layer";
export { RIGHTS } from "./model";
export type { BackendName, Credential, Directory, Entitlement, Holder, Item, Right } from "./model";
export type { Credentials, DirectoriesReading } from "./reading/directories";
export { readDirectories } from "./reading/directories";
export { plannedCredentials } from "./reading/planned";
export { aclTitle } from "./reading/planned-acl";
export { readReportedAcl } from "./reading/reported-acl";
