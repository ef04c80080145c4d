import * as consul from "@pulumi/consul";
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import * as tls from "@pulumi/tls";
import { MANAGEMENT_TOKEN } from "../../fixtures/consul";
import { serviceAccount } from "../../fixtures/objects";
import { happy, violations } from "../../fixtures/stack";
import type { Json } from "../../support/edit";
import type { TestResource } from "../../support/judge";
import { UNKNOWN } from "../../support/unknown";

/** A class of a resource. */
type Kind = new (name: string, args: object, opts?: pulumi.CustomResourceOptions) => pulumi.CustomResource;

const settings = new pulumi.Config();
const provider = new kubernetes.Provider("cluster", { kubeconfig: settings.require("kubeconfig") });

// Its outputs are unknown at preview: the fixtures' unknowns come from here, as they do in a mesh.
const rootKey = new tls.PrivateKey("root-key", { algorithm: "ECDSA", ecdsaCurve: "P256" });
const root = new tls.SelfSignedCert("root", {
  privateKeyPem: rootKey.privateKeyPem,
  subject: { commonName: "chain.lucid.internal root" },
  isCaCertificate: true,
  allowedUses: ["cert_signing"],
  validityPeriodHours: 24,
});

const managementToken = new random.RandomUuid("management-token");
const consulProvider = new consul.Provider("consul", { address: "127.0.0.1:1", token: managementToken.result });

const member = settings.get("member");
/** `true` for each of them, or the names of some. */
const chosen = settings.get("violations")?.split(",") ?? [];
const declared = {
  ...happy(),
  ...Object.fromEntries(
    Object.entries(violations()).filter(([name]) => chosen.includes("true") || chosen.includes(name)),
  ),
  ...(member === undefined ? {} : { member: serviceAccount(member) }),
};
for (const [name, resource] of Object.entries(declared)) declare(name, resource);

function declare(name: string, { type, properties }: TestResource): void {
  if (type.startsWith("lucid:")) {
    new pulumi.ComponentResource(type, name, properties);
    return;
  }
  if (type.startsWith("tls:")) {
    const Class = tls[type.split(":").at(-1) as "PrivateKey" | "CertRequest"] as unknown as Kind;
    new Class(name, resolve(properties) as object);
    return;
  }
  if (type.startsWith("consul:")) {
    const Class = consul[type.split(":").at(-1) as "AclPolicy" | "AclToken"] as unknown as Kind;
    new Class(name, resolve(properties) as object, { provider: consulProvider });
    return;
  }
  const Class = kindOf(type);
  new Class(name, resolve(properties) as object, { provider });
}

/** `kubernetes:apps/v1:Deployment` is `kubernetes.apps.v1.Deployment`. */
function kindOf(type: string): Kind {
  const [, module = "", kind = ""] = type.split(":");
  const [group = "", version = ""] = module.split("/");
  const groups = kubernetes as unknown as Readonly<
    Record<string, Readonly<Record<string, Readonly<Record<string, Kind>>>>>
  >;
  const found = groups[group.split(".")[0] ?? ""]?.[version]?.[kind];
  if (found === undefined) throw new pulumi.RunError(`@pulumi/kubernetes has no ${type}`);
  return found;
}

/** Puts an output that is unknown at preview in the place of every unknown. */
function resolve(value: Json): unknown {
  if (value === UNKNOWN) return root.certPem;
  if (value === MANAGEMENT_TOKEN) return managementToken.result;
  if (Array.isArray(value)) return value.map(resolve);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, resolve(field)]));
}
