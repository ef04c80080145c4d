/** A place in an object: members by name, list elements by position. */
export type Path = readonly (string | number)[];

/** The path as Pulumi writes it: `spec.ports[0].name`, `data["mesh.yaml"]`. */
export function formatPath(path: Path): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") {
      text += `[${String(part)}]`;
    } else if (/[."[\]]/.test(part)) {
      text += `["${part.replaceAll('"', '\\"')}"]`;
    } else {
      text += text === "" ? part : `.${part}`;
    }
  }
  return text;
}

/** Reads what {@link formatPath} writes; `*` stands for every member or element. A leading dot is taken. */
export function parsePath(text: string): Path {
  const parts: (string | number)[] = [];
  const pattern = /\.?([^.[\]"]+)|\[(\d+)\]|\[\*\]|\["((?:[^"\\]|\\.)*)"\]/gy;
  while (pattern.lastIndex < text.length) {
    const start = pattern.lastIndex;
    const match = pattern.exec(text);
    if (match === null) {
      throw new Error(`cannot read the property path ${JSON.stringify(text)} from character ${String(start)} on`);
    }
    const [, member, index, quoted] = match;
    if (member !== undefined) {
      parts.push(member);
    } else if (index !== undefined) {
      parts.push(Number(index));
    } else {
      parts.push(quoted === undefined ? "*" : quoted.replaceAll('\\"', '"'));
    }
  }
  return parts;
}

/** Whether `inner` is `outer` or lies below it; `*` in `outer` matches any part. */
export function contains(outer: Path, inner: Path): boolean {
  return outer.length <= inner.length && outer.every((part, index) => part === "*" || part === inner[index]);
}
