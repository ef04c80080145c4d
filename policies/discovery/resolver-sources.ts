/** By what the node resolver may have its answers: for each discovery backend one closed form of CoreDNS's configuration. */
import type { Directive } from "../kubernetes/corefile";

/** Where CoreDNS has the certificate from under which it asks etcd: the Secret `<service>-tls`. */
export const ETCD_CERTIFICATES = "/etc/etcd/tls";

/** One way to ask. Every directive of it is there once, and none of another's. */
interface ResolverSource {
  /** Whom it asks, for the mend. */
  readonly asks: string;
  readonly directives: readonly RegExp[];
}

const ETCD_SERVER = /https:\/\/etcd-\d+\.etcd-peers\.lucid-mesh\.svc\.cluster\.local:2379/;
const ETCD_FILES = ["tls.crt", "tls.key", "ca.crt"].map((file) => `${ETCD_CERTIFICATES}/${file}`);

const SOURCES: readonly ResolverSource[] = [
  {
    asks: "`forward . 127.0.0.1:8600`, the Consul agent of the same pod",
    directives: [/^forward \. 127\.0\.0\.1:8600(?: \{ max_fails \d+ \})?$/],
  },
  {
    asks: "the plugin `etcd`, which asks etcd's servers under the resolver's own certificate, behind the `template` that refuses questions for all names",
    directives: [
      new RegExp(
        `^${literal(
          String.raw`template ANY ANY { match (^|\.)(\*|any)\.; match ^(service\.)?discovery\.lucid\.internal\.$; rcode REFUSED; fallthrough }`,
        )}$`,
      ),
      new RegExp(
        `^etcd \\{ path /skydns; endpoint(?: ${ETCD_SERVER.source})+; tls ${literal(ETCD_FILES.join(" "))} \\}$`,
      ),
    ],
  },
];

/** The ways that there are, for people. */
export const KNOWN_SOURCES = SOURCES.map(({ asks }) => asks).join("; or ");

/** Whether a directive is part of a known way. */
export function isOfSource(directive: Directive): boolean {
  return SOURCES.some(({ directives }) => directives.some((form) => form.test(textOf(directive))));
}

/** Whether a configuration asks by exactly one of the ways, and by the whole of it. */
export function asksOneSource(directives: readonly Directive[]): boolean {
  const asking = directives.filter(isOfSource).map(textOf);
  return SOURCES.some(
    ({ directives: forms }) =>
      asking.length === forms.length && forms.every((form) => asking.some((text) => form.test(text))),
  );
}

/** `forward . 127.0.0.1:8600 { max_fails 0 }`: a directive in one line, with its options in their order. */
function textOf({ words, options }: Directive): string {
  const said = words.join(" ");
  return options.length === 0 ? said : `${said} { ${options.map((option) => option.join(" ")).join("; ")} }`;
}

/** A regular expression's source for exactly this text. */
export function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
