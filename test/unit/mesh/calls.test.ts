import { refuses, type Row } from "./fixture";

const call = (extra: object) => ({ service: "lucid-blocks", reason: "because", ...extra });
const CALL = "services.admin-ui.calls[0]";

const rows: Row[] = [
  // calls
  [
    "undeclared callee",
    "services.0.calls.0",
    call({ service: "lucid-block" }),
    `${CALL}.service`,
    /not decl/,
    /-blocks'/,
  ],
  [
    "callee nothing like",
    "services.0.calls.0",
    call({ service: "zz" }),
    `${CALL}.service`,
    /not declared/,
    /declare the/,
  ],
  ["calls itself", "services.0.calls.0", call({ service: "admin-ui" }), `${CALL}.service`, /calls itself/, /take/],
  ["unknown port", "services.0.calls.0", call({ ports: ["htp"] }), `${CALL}.ports[0]`, /no port 'htp'/, /'http'/],
  ["no ports named", "services.0.calls.0", call({ ports: [] }), `${CALL}.ports`, /empty/, /first port/],
  ["port called twice", "services.0.calls.0", call({ ports: ["http", "http"] }), `${CALL}.ports[1]`, /twice/, /once/],
  [
    "call declared twice",
    "services.0.calls.1",
    call({ ports: ["grpc", "http"] }),
    "services.admin-ui.calls[1].ports[1]",
    /called twice \(also calls\[0\]\)/,
    /rules/,
  ],
  ["no reason", "services.0.calls.0.reason", undefined, `${CALL}.reason`, /ops to chain .* without a reason/, /why/],
  ["empty reason", "services.0.calls.0.reason", "  ", `${CALL}.reason`, /empty/, /why/],
  ["call as text", "services.0.calls.0", "lucid-blocks", CALL, /the text 'lucid-blocks'/, /map/],
  [
    "span port called",
    "services.0.calls.0",
    { service: "jaeger", ports: ["otlp"] },
    `${CALL}.ports[0]`,
    /computed/,
    /take this call out/,
  ],
  [
    "dialled on an own port",
    "services.1.ports.0.dialPort",
    8079,
    `${CALL}.service`,
    /'lucid-blocks' is dialled at 8079.*EADDRINUSE/,
    /another dialPort/,
  ],
  [
    "dialled on an own health port",
    "services.0.health",
    { port: 80 },
    `${CALL}.service`,
    /dialled at 80,/,
    /another port/,
  ],
  [
    "spans dialled on an own port",
    "services.0.ports.1.port",
    4317,
    "services.admin-ui.ports",
    /'jaeger'.*4317/,
    /other/,
  ],
  // rules
  ["method", "services.0.calls.0.methods", ["get"], `${CALL}.methods[0]`, /'get' is not GET/, /'GET'/],
  ["no methods", "services.0.calls.0.methods", [], `${CALL}.methods`, /empty/, /leave/],
  ["path not from the root", "services.0.calls.0.paths", ["api"], `${CALL}.paths[0]`, /begins with '\/'/, /root/],
  ...["/a/../b", "/..", "/a//b", "/a/./b", "/a/.", "/a/.*"].map((path): Row => [
    `path ${path}`,
    "services.0.calls.0.paths",
    [path],
    `${CALL}.paths[0]`,
    /normalized/,
    /meant/,
  ]),
  ...["/a%2e", "/a\\b", "/a b", "/a?b", "/a#b", "/a;b", "/ä", "/a\n"].map((path): Row => [
    `path ${path}`,
    "services.0.calls.0.paths",
    [path],
    `${CALL}.paths[0]`,
    /safely/,
    /leave it out/,
  ]),
  ["star inside", "services.0.calls.0.paths", ["/a*b"], `${CALL}.paths[0]`, /end of a path only/, /prefix/],
  ["path twice", "services.0.calls.0.paths", ["/a", "/a"], `${CALL}.paths[1]`, /stands twice/, /once/],
  ["empty rule", "services.0.calls.0.rules", [{}], `${CALL}.rules[0]`, /allows everything/, /name methods/],
  [
    "rules beside paths",
    "services.0.calls.0",
    call({ paths: ["/a"], rules: [{ paths: ["/b"] }] }),
    `${CALL}.rules`,
    /beside/,
    /move/,
  ],
  ["rules on tcp", "services.0.calls.0", call({ ports: ["peers"], paths: ["/a"] }), `${CALL}.paths`, /tcp/, /take/],
  ["GET by gRPC", "services.0.calls.0", call({ ports: ["grpc"], methods: ["GET"] }), `${CALL}.methods`, /POST/, /own/],
  ["POST by WS", "services.0.calls.0", call({ ports: ["events"], methods: ["POST"] }), `${CALL}.methods`, /GET/, /own/],
];

describe("a call that can't be kept", () => {
  refuses(rows);
});
