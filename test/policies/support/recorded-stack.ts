/** Pulumi's engine replaced by a recorder that makes real keys and certificates, and knows where every PEM came from. */
import { Field } from "../../../policies/judgement/field";
import { plainCopy } from "../../../policies/judgement/plain";
import type { Plain } from "../../../policies/judgement/plain";
import type { StackResource } from "../../../policies/judgement/rule";
import { mockAuthority } from "../../unit/components/mock-authority";

interface Pair {
  readonly key: string;
  readonly certificate: string;
}

/** A resource as the program asks for it. */
export interface PlannedResource extends StackResource {
  readonly inputs: Plain;
}

/** What the engine would be asked to make, in the order in which it would be. */
export class RecordedStack {
  readonly resources: PlannedResource[] = [];
  private readonly pairs = new Map<string, Pair>();
  /** The resource that each PEM is an output of. */
  private readonly makers = new Map<string, StackResource>();

  /** Records a resource, and gives it its outputs. */
  async register(type: string, name: string, inputs: object): Promise<{ id: string; state: object }> {
    const plainInputs = plainCopy(unwrapped(inputs));
    const resource: PlannedResource = {
      type,
      name,
      urn: `urn:pulumi:dev::test::${type}::${name}`,
      properties: new Field(plainInputs),
      inputs: plainInputs,
      origins: (property) => {
        const texts = new Field(plainInputs)
          .at(property)
          .leaves()
          .filter((leaf) => leaf.isText)
          .map((leaf) => leaf.text() ?? "");
        return [...new Set(texts.flatMap(pemsIn).flatMap((pem) => this.makers.get(pem) ?? []))];
      },
    };
    this.resources.push(resource);
    const outputs = await this.outputsOf(type, name, inputs);
    for (const pem of Object.values(outputs).filter((text) => text.startsWith("-----BEGIN"))) {
      this.makers.set(pem.trim(), resource);
    }
    return { id: name, state: { ...inputs, ...outputs } };
  }

  /** Outputs that the components read. */
  private async outputsOf(type: string, name: string, inputs: object): Promise<Readonly<Record<string, string>>> {
    switch (type) {
      case "tls:index/privateKey:PrivateKey": {
        const pair = await mockAuthority();
        this.pairs.set(pair.key, pair);
        return { privateKeyPemPkcs8: pair.key };
      }
      case "tls:index/selfSignedCert:SelfSignedCert":
        return { certPem: this.pairOf(inputs, "privateKeyPem").certificate };
      case "tls:index/certRequest:CertRequest": {
        const body = Buffer.from(name).toString("base64");
        const certRequestPem = `-----BEGIN CERTIFICATE REQUEST-----\n${body}\n-----END CERTIFICATE REQUEST-----\n`;
        this.pairs.set(certRequestPem, this.pairOf(inputs, "privateKeyPem"));
        return { certRequestPem };
      }
      case "tls:index/locallySignedCert:LocallySignedCert":
        return { certPem: this.pairOf(inputs, "certRequestPem").certificate };
      case "random:index/randomBytes:RandomBytes":
        return { base64: "pUqJrVyVRj5jsiYEkM/tFQYfWyJIv4s3XkvDwy7Cu5s=" };
      case "random:index/randomUuid:RandomUuid":
        return { result: "0b1d6fd8-9f0c-4b37-9f32-0e9ba3bb51fd" };
      case "consul:index/aclToken:AclToken":
        return { accessorId: "7c1c3a3e-6f0a-4a59-8a5b-2f6f2b4a3c11" };
      default:
        return {};
    }
  }

  private pairOf(inputs: object, property: string): Pair {
    const pair = this.pairs.get(plain(inputs, property));
    if (pair === undefined) throw new Error(`${property} comes from no key of this stack`);
    return pair;
  }
}

/** What a value that Pulumi marks as secret is marked by; policies are handed what is inside. */
const SECRET_MARK = "4dabf18193072939515e22adb298388d";

function unwrapped(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unwrapped);
  if (typeof value !== "object" || value === null) return value;
  if (SECRET_MARK in value && "value" in value) return unwrapped(value.value);
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, unwrapped(field)]));
}

/** The PEMs of a text, one after the other. */
function pemsIn(text: string): readonly string[] {
  return text.match(/-----BEGIN [^-]+-----[^-]+-----END [^-]+-----/g) ?? [];
}

/** A property's text; a secret one comes to a mock in an envelope. */
function plain(inputs: object, property: string): string {
  const value: unknown = (inputs as Readonly<Record<string, unknown>>)[property];
  const inner: unknown = typeof value === "object" && value !== null && "value" in value ? value.value : value;
  return typeof inner === "string" ? inner : "";
}
