/** ARCHITECTURE.md against the tree: what the map names exists, what exists is named, and imports obey the table. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "..");
const page = readFileSync(join(root, "ARCHITECTURE.md"), "utf8");

/** Made by tools, or git's own. */
const NOT_OURS = new Set([".git", ".cache", "node_modules", "dist", "coverage", "temp"]);

/** Names of the map's tree, as paths: folders end with a slash. Two spaces part names from text. */
function mapped(): string[] {
  const tree = /```text\n([\s\S]*?)```/.exec(page)?.[1] ?? "";
  const paths: string[] = [];
  const parents: string[] = [];
  for (const line of tree.split("\n").filter(Boolean)) {
    const depth = line.search(/\S/) / 2;
    const names = line.trim().split(/ {2,}/)[0]?.split(" ") ?? [];
    const parent = parents.slice(0, depth).join("");
    paths.push(...names.map((name) => parent + name));
    parents.splice(depth, Infinity, names[0] ?? "");
  }
  return paths;
}

function entries(folder: string): { folders: string[]; files: string[] } {
  const found = readdirSync(join(root, folder), { withFileTypes: true });
  const named = (isFolder: boolean): string[] =>
    found.filter((entry) => entry.isDirectory() === isFolder).map(({ name }) => folder + name);
  return { folders: named(true).map((name) => `${name}/`), files: named(false) };
}

function foldersBelow(folder: string): string[] {
  return entries(folder).folders.flatMap((child) => [child, ...foldersBelow(child)]);
}

describe("the map", () => {
  it("names every folder: the top level, all rooms of src, and the parts of test", () => {
    const top = entries("").folders.filter((folder) => !NOT_OURS.has(folder.slice(0, -1)));
    const expected = [...top, ...foldersBelow("src/"), ...entries("test/").folders];
    expect(mapped().filter((path) => path.endsWith("/"))).toEqual(expect.arrayContaining(expected));
  });

  it("names every top-level file of src", () => {
    expect(
      mapped()
        .filter((path) => /^src\/[^/]+\.ts$/.test(path))
        .toSorted(),
    ).toEqual(entries("src/").files.toSorted());
  });

  it("names nothing twice and nothing that isn't there", () => {
    const paths = mapped();
    expect(new Set(paths).size).toBe(paths.length);
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it("names files in its text that are there", () => {
    const text = page.replace(/```text[\s\S]*?```/, "").replace(/\| who \|[\s\S]*?\n\n/, "");
    const files = [...text.matchAll(/`((?:[\w-]+\/)*[\w-]+\.ts)`/g)].map(([, file]) => file ?? "");
    expect(files.length).toBeGreaterThan(5);
    const missing = files.filter(
      (file) => ![`src/${file}`, file].some((path) => existsSync(join(root, path))),
    );
    expect(missing).toEqual([]);
  });
});

/** Every file of src, as `policy/decide.ts`. */
function sourceFiles(): string[] {
  return ["src/", ...foldersBelow("src/")]
    .flatMap((folder) => entries(folder).files)
    .map((file) => file.slice("src/".length))
    .filter((file) => file.endsWith(".ts"));
}

/** What a file imports, types included: `policy/decide.ts` for ours, the bare name for others. */
function importsOf(file: string): string[] {
  const source = readFileSync(join(root, "src", file), "utf8");
  const statements = source.matchAll(/^(?:import|export)\b[^;"']*?from\s+"([^"]+)"|^import\s+"([^"]+)"/gm);
  const dynamic = source.matchAll(/^(?!\s*(?:\*|\/\/)).*\bimport\("([^"]+)"\)/gm);
  return [...statements, ...dynamic].map((match) => {
    const specifier = match[1] ?? match[2] ?? "";
    if (!specifier.startsWith(".")) return specifier;
    return relative(join(root, "src"), resolve(root, "src", dirname(file), specifier));
  });
}

interface Rule {
  readonly who: readonly string[];
  readonly may: readonly string[];
}

/** Only what stands in backticks speaks. */
function quoted(cell = ""): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? "");
}

/** The rows of the table. */
function rules(): Rule[] {
  const table = /\| who \| may import \|\n\|[-|]+\|\n([\s\S]*?)\n\n/.exec(page)?.[1] ?? "";
  return table.split("\n").map((row) => {
    const [, who, may] = row.split("|");
    return { who: quoted(who), may: quoted(may) };
  });
}

/** A room takes all its files, `node:*` all of Node, anything else itself alone. */
function covers(name: string, imported: string): boolean {
  if (name.endsWith("/") || name.endsWith("*")) return imported.startsWith(name.replace("*", ""));
  return imported === name;
}

/** The rows about a file: of several that cover it the one that names it closest. */
function rowsFor(table: readonly Rule[], file: string): readonly Rule[] {
  const closeness = ({ who }: Rule): number =>
    Math.max(0, ...who.filter((name) => covers(name, file)).map((name) => name.length));
  const closest = Math.max(...table.map(closeness));
  return closest === 0 ? [] : table.filter((rule) => closeness(rule) === closest);
}

/** Imports that the table doesn't allow, as `from -> to`. */
function violations(
  table: readonly Rule[],
  files: readonly string[],
  imports: (file: string) => readonly string[],
): string[] {
  return files.flatMap((file) => {
    const allowed = rowsFor(table, file).flatMap(({ who, may }) => [...who, ...may]);
    return imports(file)
      .filter((imported) => !allowed.some((name) => covers(name, imported)))
      .map((imported) => `${file} -> ${imported}`);
  });
}

/** A way round that ends where it began, or undefined. */
function cycle(files: readonly string[], imports: (file: string) => readonly string[]): string[] | undefined {
  const done = new Set<string>();
  const walk = (file: string, path: readonly string[]): string[] | undefined => {
    const start = path.indexOf(file);
    if (start !== -1) return [...path.slice(start), file];
    if (done.has(file)) return undefined;
    for (const imported of imports(file)) {
      const found = files.includes(imported) ? walk(imported, [...path, file]) : undefined;
      if (found !== undefined) return found;
    }
    done.add(file);
    return undefined;
  };
  return files.map((file) => walk(file, [])).find((found) => found !== undefined);
}

describe("imports", () => {
  const table = rules();
  const files = sourceFiles();

  it("are ruled for every file, by exactly one row", () => {
    expect(files.filter((file) => rowsFor(table, file).length !== 1)).toEqual([]);
  });

  it("reach only what the table allows", () => {
    expect(violations(table, files, importsOf)).toEqual([]);
  });

  it("never run in a circle", () => {
    expect(cycle(files, importsOf)).toBeUndefined();
  });

  it("would be caught: a policy that reads a file, an observer that decides, a check that simulates, two files in a circle", () => {
    const planted: Readonly<Record<string, readonly string[]>> = {
      "policy/decide.ts": ["node:fs"],
      "observe/verdict.ts": ["policy/decide.ts", "policy/policy.ts"],
      "cli/check.ts": ["cli/io.ts", "simulator/index.ts"],
      "cli/simulate/simulate.ts": ["cli/io.ts", "simulator/index.ts", "policy/decide.ts"],
      "amend.ts": ["call.ts"],
      "call.ts": ["amend.ts"],
    };
    const imports = (file: string): readonly string[] => planted[file] ?? [];
    expect(violations(table, Object.keys(planted), imports)).toEqual([
      "policy/decide.ts -> node:fs",
      "observe/verdict.ts -> policy/decide.ts",
      "cli/check.ts -> simulator/index.ts",
      "cli/simulate/simulate.ts -> policy/decide.ts",
    ]);
    expect(cycle(Object.keys(planted), imports)).toEqual(["amend.ts", "call.ts", "amend.ts"]);
  });

  it("are seen in all their forms: on many lines, of types, re-exported, dynamic", () => {
    expect(importsOf("index.ts")).toEqual(expect.arrayContaining(["plugin.ts", "policy/policy.ts"]));
    expect(importsOf("plugin.ts")).toContain("policy/source.ts");
  });
});
