import * as fs from "node:fs";
import * as path from "node:path";

import { Refusal } from "../../toolchain";
import { run } from "../commands";
import { messageOf } from "../errors";
import type { ImageSpec } from "./catalogue";

/** Where the programs named in the catalogue lie on this machine. */
export type ProgramPath = (name: ImageSpec["files"][number]["program"]) => string;

/**
 * Lays an image's file system out below `root`: its programs with the shared libraries they need, users, `/tmp`, and a
 * shell where the image has one.
 */
export async function layOut(image: ImageSpec, programPath: ProgramPath, root: string): Promise<void> {
  const place = (target: string): string => {
    const file = path.join(root, target);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    return file;
  };
  for (const directory of ["etc", "root", "tmp", "proc", "sys", "dev", "var", "usr/bin"]) {
    fs.mkdirSync(path.join(root, directory), { recursive: true });
  }
  fs.chmodSync(path.join(root, "tmp"), 0o1777);
  if (image.shell) {
    const busybox = programPath("busybox");
    fs.copyFileSync(busybox, place("/bin/busybox"));
    for (const applet of (await run(busybox, ["--list"])).split("\n").filter((name) => name !== "")) {
      if (applet !== "busybox") {
        fs.symlinkSync("/bin/busybox", place(`/bin/${applet}`));
      }
    }
    fs.symlinkSync("/bin/busybox", place("/usr/bin/env"));
  }
  for (const { program, path: target } of image.files) {
    const source = fs.realpathSync(programPath(program));
    fs.rmSync(place(target), { force: true });
    fs.copyFileSync(source, place(target));
    fs.chmodSync(place(target), 0o755);
    for (const library of await sharedLibraries(source)) {
      fs.copyFileSync(fs.realpathSync(library), place(library));
      fs.chmodSync(place(library), 0o755);
    }
  }
  for (const { directory, without } of image.copies ?? []) {
    const filter = (source: string): boolean => without === undefined || !source.endsWith(`/${without}`);
    fs.cpSync(directory, place(directory), { recursive: true, dereference: true, filter });
  }
  writeUsers(image, place);
  for (const { path: target, uid, gid } of image.directories ?? []) {
    fs.mkdirSync(place(target), { recursive: true });
    fs.chownSync(place(target), uid, gid);
  }
}

/** Paths of the shared libraries of a program, its loader included; none for a static one. */
export async function sharedLibraries(program: string): Promise<string[]> {
  let listing: string;
  try {
    listing = await run("/usr/bin/ldd", [program]);
  } catch (error) {
    if (/not a dynamic executable/.test(messageOf(error))) {
      return [];
    }
    throw error;
  }
  return parseLibraries(listing, program);
}

/** Reads the listing of `ldd`. @throws Refusal when a library isn't installed */
export function parseLibraries(listing: string, program: string): string[] {
  const missing = /^\s*(\S+) => not found/m.exec(listing)?.[1];
  if (missing !== undefined) {
    throw new Refusal(`${program} needs the library ${missing}, which is not installed; install its Debian package`);
  }
  return [...listing.matchAll(/(?:=> )?(\/\S+) \(0x/g)].flatMap((match) => match[1] ?? []);
}

function writeUsers(image: ImageSpec, place: (target: string) => string): void {
  const users = { nobody: { uid: 65534, gid: 65534, home: "/" }, ...image.users };
  const shell = image.shell ? "/bin/sh" : "/sbin/nologin";
  const passwd = [`root:x:0:0:root:/root:${shell}`];
  const group = ["root:x:0:"];
  for (const [name, { uid, gid, home }] of Object.entries(users)) {
    passwd.push(`${name}:x:${String(uid)}:${String(gid)}::${home}:${shell}`);
    group.push(`${name}:x:${String(gid)}:`);
    if (home !== "/") {
      fs.mkdirSync(place(home), { recursive: true });
      fs.chownSync(place(home), uid, gid);
    }
  }
  fs.writeFileSync(place("/etc/passwd"), `${passwd.join("\n")}\n`);
  fs.writeFileSync(place("/etc/group"), `${group.join("\n")}\n`);
  fs.writeFileSync(place("/etc/nsswitch.conf"), "hosts: files dns\n");
}
