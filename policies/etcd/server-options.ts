import type { Field } from "../judgement/field";
import type { Findings } from "../judgement/finding";

/** Options that say nothing of who may speak to the server, and how. */
const NEUTRAL: readonly string[] = [
  "name",
  "data-dir",
  "initial-cluster-state",
  "initial-cluster-token",
  "auto-compaction-mode",
  "auto-compaction-retention",
];
const FILES: readonly string[] = [
  "trusted-ca-file",
  "cert-file",
  "key-file",
  "peer-trusted-ca-file",
  "peer-cert-file",
  "peer-key-file",
];
const URLS: readonly string[] = [
  "listen-client-urls",
  "advertise-client-urls",
  "listen-peer-urls",
  "initial-advertise-peer-urls",
];

/** What a certificate's Secret is mounted at. */
export interface OwnCertificate {
  readonly service: string;
  /** Folder of the Secret `<service>-tls`; undefined where it isn't mounted. */
  readonly folder: string | undefined;
}

/** Checks what an etcd server runs with: all of it stands in its arguments (https://etcd.io/docs/v3.6/op-guide/configuration/). */
export function checkServerOptions(args: Field, { service, folder }: OwnCertificate, findings: Findings): void {
  const options = new Map<string, string>();
  for (const text of args.texts()) {
    const [, name, value] = /^--([a-z0-9-]+)=(.*)$/.exec(text) ?? [];
    if (name === undefined || value === undefined) {
      findings.add(args, `\`${text}\` is no option of the form --<name>=<value>`, "write each option so");
    } else if (options.has(name)) {
      findings.add(args, `--${name} is there twice`, "leave one: the last one counts");
    } else {
      options.set(name, value);
    }
  }
  const must = (name: string, holds: (value: string) => boolean, problem: string, mend: string) => {
    findings.require(holds(options.get(name) ?? ""), args, problem, mend);
  };
  const isTrue = (value: string) => value === "true";
  const known = ["client-cert-auth", "peer-client-cert-auth", "peer-cert-allowed-cn", "tls-min-version"];
  const leave = ["initial-cluster", "peer-skip-client-san-verification"];
  for (const name of options.keys()) {
    findings.require(
      [...NEUTRAL, ...FILES, ...URLS, ...known, ...leave].includes(name),
      args,
      `--${name} is an option that the rule does not model`,
      "take it out, or teach policies/etcd/server-options.ts what it means",
    );
  }
  must("client-cert-auth", isTrue, "clients need no certificate", "add --client-cert-auth=true");
  must("peer-client-cert-auth", isTrue, "peers need no certificate", "add --peer-client-cert-auth=true");
  must(
    "peer-cert-allowed-cn",
    (value) => value === `${service}.lucid.internal`,
    "whoever has a certificate of the mesh may be a server of the cluster",
    `add --peer-cert-allowed-cn=${service}.lucid.internal`,
  );
  must(
    "tls-min-version",
    (value) => value === "TLS1.3",
    "the server may speak an old version of TLS",
    "add --tls-min-version=TLS1.3",
  );
  for (const name of FILES) {
    must(
      name,
      (value) => folder !== undefined && value.startsWith(`${folder}/`) && !value.includes(".."),
      `--${name} is no file of the servers' own certificate`,
      `mount the Secret ${service}-tls whole, and name its file`,
    );
  }
  for (const name of URLS) {
    const isTls = (value: string) => value !== "" && value.split(",").every((url) => url.startsWith("https://"));
    must(name, isTls, `--${name} lets somebody speak to the server in plain text`, "name https URLs alone");
  }
  must(
    "initial-cluster",
    (value) => value.split(",").every((peer) => /^[a-z0-9-]+=https:\/\//.test(peer)),
    "servers speak to each other in plain text",
    "name https URLs in --initial-cluster",
  );
}
