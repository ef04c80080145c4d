/** Lucid's API server with issuers, as the plan has it, and issuers as processes of their own under their planned rights. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { X509Certificate, createPrivateKey } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { checkoutDir } from "../../../dev/paths";
import { type ZoneName, identityOf, namespaceOf } from "../../../mesh";
import { testAuthority, type TestAuthority } from "../../../services/controller/test/support/authority";
import { freePorts } from "../../../services/controller/test/support/consul";
import { lucid } from "../../policies/support/planned";
import type { JsonObject } from "../../policies/support/edit";
import { Refusal, type Manifest } from "../admission/api";
import { Lab, plannedObjects } from "../admission/lab";
import { eventually } from "../support/eventually";

export const ROTATING = { autoRotateCerts: "true" };
const PROGRAM = path.join(checkoutDir, "services/controller/dist/issuer.cjs");

/** What a Secret holds, decoded. */
export interface LiveLeaf {
  readonly uid: string;
  readonly serial: string;
  readonly certificate: X509Certificate;
  readonly files: Readonly<Record<string, string>>;
}

/** An issuer's process. */
export class IssuerProcess {
  output = "";

  constructor(
    private readonly child: ChildProcess,
    private readonly port: number,
  ) {
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding("utf8").on("data", (chunk: string) => (this.output += chunk));
  }

  async health(): Promise<{
    readonly healthy: boolean;
    readonly leading: boolean;
    readonly reasons: readonly string[];
  }> {
    const response = await fetch(`http://127.0.0.1:${this.port}/health`, { signal: AbortSignal.timeout(5_000) });
    return (await response.json()) as never;
  }

  async well(seconds = 40): Promise<void> {
    await eventually(
      "an issuer that is well",
      async () => {
        assert.equal(this.child.exitCode, null, this.output);
        const { healthy, reasons } = await this.health();
        assert.deepEqual({ healthy, reasons }, { healthy: true, reasons: [] });
      },
      seconds,
    );
  }

  freeze(): void {
    this.child.kill("SIGSTOP");
  }

  thaw(): void {
    this.child.kill("SIGCONT");
  }

  async end(how: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    const { child } = this;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("close", resolve));
    child.kill(how);
    child.kill("SIGCONT");
    await ended;
  }
}

export class IssuerLab {
  private readonly processes = new Set<IssuerProcess>();
  /** By zone. */
  readonly authorities = new Map<ZoneName, TestAuthority>();

  private constructor(
    readonly api: Lab,
    private readonly folder: string,
  ) {}

  static async start(): Promise<IssuerLab> {
    const api = await Lab.start(lucid, ROTATING);
    const lab = new IssuerLab(api, mkdtempSync(path.join(tmpdir(), "lucid-issuers-")));
    for (const object of await plannedObjects(lucid, ROTATING)) {
      await api.create(object, { manager: "pulumi-kubernetes" }).catch((error: unknown) => {
        if (!(error instanceof Refusal && error.status === 409)) throw error;
      });
    }
    // The recorded plan's authorities are nobody's.
    for (const zone of ["ops", "chain", "wallet"] as const)
      await lab.sign(zone, await testAuthority(`${zone}.lucid.internal`));
    return lab;
  }

  /** Gives a zone's issuer an authority, as `pulumi up` does. */
  async sign(zone: ZoneName, authority: TestAuthority): Promise<void> {
    this.authorities.set(zone, authority);
    const data = Object.fromEntries(Object.entries(authority.secret).map(([file, text]) => [file, base64(text)]));
    await this.merge(`/api/v1/namespaces/${namespaceOf(zone)}/secrets/lucid-issuing-tls`, { data });
  }

  /** What a person or Pulumi changes. */
  async merge(place: string, body: unknown, user?: string): Promise<Manifest> {
    return this.api.ask({ method: "PATCH", path: place, body, contentType: "application/merge-patch+json", user });
  }

  /** A process with the token that kubelet would give the issuer's pod. */
  async issuer(zone: ZoneName = "ops"): Promise<IssuerProcess> {
    const name = `issuer-${zone}`;
    const workload = (await plannedObjects(lucid, ROTATING)).find(
      (object) => object.kind === "Deployment" && object.metadata?.name === name,
    ) as unknown as { spec: { template: { metadata: JsonObject; spec: JsonObject } } };
    const { metadata, spec } = workload.spec.template;
    const pod = (await this.api.create({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { ...metadata, generateName: `${name}-`, namespace: "lucid-mesh" },
      spec,
    })) as unknown as { metadata: { name: string; uid: string } };
    const boundObjectRef = { kind: "Pod", apiVersion: "v1", name: pod.metadata.name, uid: pod.metadata.uid };
    const { status } = (await this.api.ask({
      method: "POST",
      path: `/api/v1/namespaces/lucid-mesh/serviceaccounts/${name}/token`,
      body: {
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenRequest",
        spec: { expirationSeconds: 3600, boundObjectRef },
      },
    })) as unknown as { status: { token: string } };
    const kubeconfig = path.join(this.folder, pod.metadata.name);
    writeFileSync(kubeconfig, this.api.kubeconfigOf(status.token), { mode: 0o600 });
    const [port = 0] = await freePorts(1);
    const env = {
      KUBECONFIG: kubeconfig,
      ISSUER_ZONE: zone,
      ISSUER_INTERVAL: "1",
      ISSUER_PORT: String(port),
      BIND_ADDRESS: "127.0.0.1",
      LOG_LEVEL: "debug",
    };
    const child = spawn(process.execPath, [PROGRAM], { env, stdio: ["ignore", "pipe", "pipe"] });
    const issuer = new IssuerProcess(child, port);
    this.processes.add(issuer);
    return issuer;
  }

  /** What lies in a service's Secret; undefined where there is none. @throws AssertionError where it is not a whole and good one */
  async leaf(service: string, zone: ZoneName = "ops"): Promise<LiveLeaf | undefined> {
    const secret = await this.get(`/api/v1/namespaces/${namespaceOf(zone)}/secrets/${service}-tls`);
    if (secret === undefined) return undefined;
    const { data = {}, metadata } = secret as unknown as { data?: Record<string, string>; metadata: { uid: string } };
    const files = Object.fromEntries(
      Object.entries(data).map(([file, text]) => [file, Buffer.from(text, "base64").toString()]),
    );
    assert.deepEqual(Object.keys(files).sort(), ["tls.crt", "tls.key"]);
    const certificate = new X509Certificate(files["tls.crt"] ?? "");
    assert.ok(
      certificate.checkPrivateKey(createPrivateKey(files["tls.key"] ?? "")),
      "key and certificate belong together",
    );
    assert.equal(certificate.subjectAltName, `URI:${identityOf(service, zone)}`);
    return { uid: metadata.uid, serial: certificate.serialNumber.toLowerCase(), certificate, files };
  }

  /** Until a service has a certificate by the zone's present authority, and what is told of it is true. */
  async issued(service: string, zone: ZoneName = "ops", seconds = 30): Promise<LiveLeaf> {
    return eventually(
      `a certificate of ${service}`,
      async () => {
        const leaf = await this.leaf(service, zone);
        assert.ok(leaf, "there is none");
        const signer = new X509Certificate(this.authorities.get(zone)?.certificatePem ?? "");
        assert.ok(leaf.certificate.verify(signer.publicKey), "signed by the zone's authority");
        const record = await this.get(`/api/v1/namespaces/${namespaceOf(zone)}/configmaps/${service}-certificate`);
        const told = record?.metadata?.annotations as Record<string, string> | undefined;
        assert.equal(told?.["lucid.internal/certificate-serial"], leaf.serial);
        return leaf;
      },
      seconds,
    );
  }

  async get(place: string): Promise<Manifest | undefined> {
    try {
      return await this.api.ask({ method: "GET", path: place });
    } catch (error) {
      if (error instanceof Refusal && error.status === 404) return undefined;
      throw error;
    }
  }

  /** Everything that issuers have said. */
  get output(): string {
    return [...this.processes].map(({ output }) => output).join("");
  }

  async endIssuers(): Promise<void> {
    await Promise.all([...this.processes].map((process) => process.end("SIGKILL")));
  }

  async stop(): Promise<void> {
    await this.endIssuers();
    await this.api.stop();
    rmSync(this.folder, { recursive: true });
  }
}

export function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
