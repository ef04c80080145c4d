import * as fs from "node:fs";
import * as path from "node:path";
import type { ChildProcess } from "node:child_process";
import { binDir } from "../../../dev/paths";
import {
  renderSidecar,
  renderTokens,
  renderTrust,
  sidecarCommand,
  type EnvoyOptions,
  type TokenIssuer,
  type Withdrawal,
} from "../../../envoy";
import { trustedZones } from "../../../mesh/datacenters/calls";
import { serviceNamed } from "../../../mesh/edges";
import type { Mesh, PeerZone, Service } from "../../../mesh/model";
import { IDENTITY_TOKEN, SIDECAR_PATHS } from "../../../mesh/wire";
import { end, type Host } from "./network";
import type { Leaf, TrustBundle } from "./pki";

/**
 * The user of this run's Envoys, in place of the sidecar's: a user has 128 inotify instances on a whole machine (`fs.inotify.max_user_instances`), of which
 * an Envoy takes some ten, and one that gets none aborts. A cluster or another lab beside this one must not use up its share.
 */
export const LAB_UID = 200_000 + (process.pid % 100_000);

/** The files of a mounted ConfigMap or Secret, by name. */
type Volume = Readonly<Record<string, string>>;
/** Tests that await the end of a drain would otherwise wait for half a minute each; what takes its full length is tried in hot-change.ts. */
const LAB_DRAIN_SECONDS = 5;

/** Gives a file's text another form. */
export type Change = (file: string, text: string) => string;
type VolumeName = "config" | "certificate" | "token";

/** Both factors of a service's identity. */
export interface Credentials extends Leaf {
  readonly token: string;
}

/**
 * The volumes and the Envoy of one pod. Volumes change as kubelet changes them: a new directory, and one symlink that is swapped.
 */
export class Sidecar {
  private generation = 0;
  /** The ConfigMaps that are projected into one volume. */
  private configuration: Volume = {};
  private trust: Volume = {};
  /** ConfigMap `mesh-tokens`, projected last. */
  private keys: Volume = {};
  private trusting: Readonly<Partial<Record<PeerZone, TrustBundle>>> = {};
  private envoy: ChildProcess | undefined;
  private output = "";

  constructor(
    readonly service: Service,
    readonly host: Host,
    private readonly options: EnvoyOptions,
    private readonly drainSeconds = LAB_DRAIN_SECONDS,
    /** Alters every file of listeners and clusters that is mounted. */
    private readonly always: Change = (_file, text) => text,
  ) {}

  /** Everything that a pod of this service would find mounted; listeners and roots change in one swap. */
  mount(mesh: Mesh, credentials: Credentials, trust: Readonly<Partial<Record<PeerZone, TrustBundle>>>): void {
    this.mountCertificate(credentials);
    this.mountToken(credentials.token);
    this.trusting = Object.fromEntries(trustedZones(mesh, this.service).map((zone) => [zone, trust[zone]]));
    this.trust = trustFiles(this.trusting);
    this.mountConfig(mesh);
  }

  /** Listeners and clusters; `change` may alter a file's text, to take a layer out. */
  mountConfig(mesh: Mesh, change: Change = (_file, text) => text, options: Partial<EnvoyOptions> = {}): void {
    const files: Volume = {
      ...renderSidecar(mesh, serviceNamed(mesh, this.service.name), { ...this.options, ...options }),
    };
    this.configuration = Object.fromEntries(
      Object.entries(files).map(([name, text]) => [name, change(name, this.always(name, text))]),
    );
    this.swapConfig();
  }

  mountCertificate(leaf: Leaf): void {
    this.swap("certificate", { "tls.crt": leaf.certificate, "tls.key": leaf.key });
  }

  /** The pod's own token, as kubelet renews it. */
  mountToken(token: string): void {
    this.swap("token", { [IDENTITY_TOKEN.file]: token });
  }

  /** The keys that the controller mirrored; with none the sidecar is left with its own file, which holds none. */
  mountKeys(issuer?: TokenIssuer): void {
    this.keys = issuer === undefined ? {} : { [IDENTITY_TOKEN.keysFile]: renderTokens(issuer) };
    this.swapConfig();
  }

  mountTrust(trust: Readonly<Partial<Record<PeerZone, TrustBundle>>>): void {
    this.trusting = trust;
    this.trust = trustFiles(trust);
    this.swapConfig();
  }

  /** What is mounted of a zone's trust. */
  trusted(zone: PeerZone): TrustBundle {
    return this.trusting[zone] ?? { roots: "", revocations: "" };
  }

  /** What a revocation changes, in one swap: what is trusted of the peers' zones, and the marks of what was withdrawn. */
  mountRevocations(
    mesh: Mesh,
    trust: Readonly<Partial<Record<PeerZone, TrustBundle>>>,
    withdrawals: readonly Withdrawal[],
  ): void {
    this.trust = trustFiles(Object.fromEntries(trustedZones(mesh, this.service).map((zone) => [zone, trust[zone]])));
    this.mountConfig(mesh, undefined, { withdrawals });
  }

  /** Starts Envoy with the very command line of the pod, but for the drain's length, and awaits its readiness. */
  async start(): Promise<void> {
    const name = `${this.service.name}-0`;
    const args = sidecarCommand(this.service, this.options);
    args[args.indexOf("--drain-time-s") + 1] = String(this.drainSeconds);
    const argv = [envoyCopy(), ...args.map((arg) => arg.replace("$(POD_NAME)", name))];
    const envoy = this.host.spawn(argv, LAB_UID, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, POD_NAME: name },
    });
    this.envoy = envoy;
    const keep = (chunk: Buffer): void => {
      this.output += chunk.toString();
    };
    envoy.stdout?.on("data", keep);
    envoy.stderr?.on("data", keep);
    const ready = async () => {
      if (envoy.exitCode !== null || envoy.signalCode !== null) {
        throw new Error(`Envoy of ${name} ended with ${String(envoy.exitCode ?? envoy.signalCode)}:\n${this.output}`);
      }
      return (await this.host.call("request", { host: this.host.address, port: 15021, path: "/ready" })).status === 200;
    };
    await until(`${name} is ready`, ready, 60_000);
  }

  async stop(): Promise<void> {
    if (this.envoy !== undefined) {
      await end(this.envoy);
    }
  }

  /** Process id of the running Envoy. */
  get pid(): number | undefined {
    return this.envoy?.pid;
  }

  /** All that Envoy wrote so far. */
  get log(): string {
    return this.output;
  }

  /** Records of the access log, oldest first. */
  get records(): Record<string, unknown>[] {
    return this.output
      .split("\n")
      .filter((line) => line.startsWith("{") && line.endsWith("}"))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** One statistic of the running Envoy, by its exact name; 0 where it does not exist. */
  async stat(name: string): Promise<number> {
    const answer = await this.host.call("request", { host: "127.0.0.1", port: this.options.adminPort, path: "/stats" });
    const line = answer.body?.split("\n").find((candidate) => candidate.startsWith(`${name}: `));
    return Number(line?.slice(name.length + 2) ?? 0);
  }

  /** Listeners, roots and keys are one projected volume: they change together, and of one name the last stands. */
  private swapConfig(): void {
    this.swap("config", { ...this.configuration, ...this.trust, ...this.keys });
  }

  private swap(volume: VolumeName, files: Volume): void {
    const directory = path.join(this.host.directory, SIDECAR_PATHS[volume]);
    const generation = `..generation_${this.generation++}`;
    fs.mkdirSync(path.join(directory, generation), { recursive: true });
    for (const [name, text] of Object.entries(files)) {
      fs.writeFileSync(path.join(directory, generation, name), text);
    }
    fs.rmSync(path.join(directory, "..data_tmp"), { force: true });
    fs.symlinkSync(generation, path.join(directory, "..data_tmp"));
    fs.renameSync(path.join(directory, "..data_tmp"), path.join(directory, "..data"));
    // As kubelet does it: names that are new are linked after the swap, names that are gone are unlinked.
    const linked = fs.readdirSync(directory).filter((name) => !name.startsWith(".."));
    for (const name of Object.keys(files).filter((candidate) => !linked.includes(candidate))) {
      fs.symlinkSync(path.join("..data", name), path.join(directory, name));
    }
    for (const name of linked.filter((candidate) => !(candidate in files))) {
      fs.rmSync(path.join(directory, name));
    }
  }
}

function trustFiles(trust: Readonly<Partial<Record<PeerZone, TrustBundle>>>): Volume {
  return Object.fromEntries(
    Object.entries(trust).flatMap(([zone, bundle]) =>
      bundle === undefined
        ? []
        : [[`${zone}.yaml`, renderTrust(zone as PeerZone, bundle.roots, bundle.revocations)] as const],
    ),
  );
}

/** Awaits a condition that must come true within some seconds. */
export async function until(what: string, condition: () => Promise<boolean>, timeoutMs = 15_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) {
      throw new Error(`not within ${String(timeoutMs)} ms: ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Envoy's binary at a place that the sidecar's user may enter (the cache lies in a home directory). */
function envoyCopy(): string {
  const source = path.join(binDir(), "envoy");
  if (!fs.existsSync(source)) {
    throw new Error(`no Envoy at ${source}: \`npm start\` installs it (or put a binary of version 1.40.0 there)`);
  }
  const copy = path.join(labDirectory(), "envoy");
  if (!fs.existsSync(copy)) {
    fs.copyFileSync(source, copy, fs.constants.COPYFILE_FICLONE);
    fs.chmodSync(copy, 0o755);
  }
  return copy;
}

let lab: string | undefined;

/** A temporary directory of this run that every user may enter. */
export function labDirectory(): string {
  if (lab === undefined) {
    lab = fs.mkdtempSync("/tmp/lucid-envoy-");
    fs.chmodSync(lab, 0o755);
  }
  return lab;
}

/** Removes {@link labDirectory}. */
export function removeLabDirectory(): void {
  if (lab !== undefined) {
    fs.rmSync(lab, { recursive: true, force: true });
    lab = undefined;
  }
}
