/** What goes over the wire between the embedded cluster's nodes, looked at on the switch that joins them. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { clusterTools } from "../../../dev/cluster/context";
import { network, nodeMachine, switchMachine } from "../../../dev/cluster/layout";

/** Reads every frame of the switch's interfaces until its input ends, and says which texts stood in any. */
const READER = `
import json, select, socket, sys
patterns = {name: bytes.fromhex(text) for name, text in json.loads(sys.argv[1]).items()}
reader = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 26)
found, between, frames = {}, {}, 0
print("ready", flush=True)
while True:
    able, _, _ = select.select([reader, sys.stdin], [], [])
    if sys.stdin in able:
        break
    if reader in able:
        frame = reader.recv(1 << 16)
        frames += 1
        for name, text in patterns.items():
            if text in frame:
                ends = ""
                if frame[12:14] == b"\\x08\\x00":
                    ends = socket.inet_ntoa(frame[26:30]) + " > " + socket.inet_ntoa(frame[30:34])
                found.setdefault(name, {})[ends] = found.get(name, {}).get(ends, 0) + 1
        if frame[12:14] == b"\\x08\\x00" and frame[23] == 6:
            start = 14 + (frame[14] & 15) * 4
            port = int.from_bytes(frame[start + 2:start + 4], "big")
            key = socket.inet_ntoa(frame[26:30]) + " > " + socket.inet_ntoa(frame[30:34]) + ":" + str(port)
            between[key] = between.get(key, 0) + 1
drops = int.from_bytes(reader.getsockopt(263, 6, 8)[4:8], sys.byteorder)
print(json.dumps({"frames": frames, "dropped": drops, "found": found, "between": between}))
`;

/** What was seen. */
export interface Captured {
  readonly frames: number;
  /** Frames that came faster than they were read. */
  readonly dropped: number;
  /** By the pattern's name: who sent to whom, and how often. */
  readonly found: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Frames of TCP, by `<address> > <address>:<port>`. */
  readonly between: Readonly<Record<string, number>>;
}

/**
 * Captures while something is done. A datagram in clear text that is sent from one node to another must be among what is found, or nothing is shown at all.
 *
 * @param patterns what to look for, by name
 */
export async function captured(
  patterns: Readonly<Record<string, Buffer | string>>,
  act: () => Promise<void>,
): Promise<Captured> {
  const { machines } = clusterTools();
  const control = `control-${Date.now()}-in-clear-text`;
  const hex = Object.fromEntries(
    Object.entries({ ...patterns, control }).map(([name, text]) => [name, Buffer.from(text).toString("hex")]),
  );
  const anchor = machines.anchor(switchMachine);
  assert.ok(anchor !== undefined, "the cluster's switch is not up");
  const child = spawn(
    "/usr/bin/nsenter",
    [`--net=/proc/${String(anchor)}/ns/net`, "/usr/bin/env", "python3", "-u", "-c", READER, JSON.stringify(hex)],
    { stdio: "pipe" },
  );
  let [said, failed] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (said += chunk));
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (failed += chunk));
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  try {
    while (!said.startsWith("ready")) {
      assert.equal(child.exitCode, null, failed);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await machines.shell(nodeMachine(2), `echo ${control} | /bin/bash -c 'cat > /dev/udp/${nodeMachine(3).address}/9'`);
    await act();
  } finally {
    child.stdin.end();
    await ended;
  }
  assert.equal(child.exitCode, 0, failed);
  const result = JSON.parse(said.slice(said.indexOf("{"))) as Captured;
  assert.ok(result.found.control !== undefined, "a datagram in clear text was not seen: the capture shows nothing");
  return result;
}

/** Whether an address is a pod's. */
export function isPodAddress(address: string): boolean {
  return address.startsWith(network.pods.split(".").slice(0, 2).join(".") + ".");
}
