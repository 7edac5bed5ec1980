import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { IGNORED_OPERATIONS, OPERATIONS } from "../src/operations.ts";
import { WHY_DECISION } from "../src/policy/policy.ts";
import { POLICY_WITH_TESTS } from "../src/policy/test-fields.ts";
import type { Shape } from "../src/policy/fields.ts";

const page = (name: string): string => readFileSync(new URL(`../${name}`, import.meta.url), "utf8");

/** Fenced blocks that say which file they show: a comment with the file's name stands on the line before. */
function shownFiles(markdown: string): [file: string, block: string][] {
  return [...markdown.matchAll(/<!-- (\S+) -->\n+```\w*\n(.*?)```/gs)].map(([, file, block]) => [
    file as string,
    block as string,
  ]);
}

describe("docs/policy.md", () => {
  const policy = page("docs/policy.md");

  it.each(Object.entries(WHY_DECISION))("says what %s is, in a row of %s", (why) => {
    expect(policy).toContain(`\`${why}\``);
  });

  it.each(Array.from({ length: 20 }, (_, i) => `D${i + 1}`))("has the row %s", (id) => {
    expect(policy).toMatch(new RegExp(`^\\| ${id} \\|`, "m"));
  });
});

/** Names of fields, those of lists, of either shape and of inner fields too. */
function fieldNames(shape: Shape): string[] {
  switch (shape.is) {
    case "list":
    case "map":
      return fieldNames(shape.of);
    case "either":
      return shape.of.flatMap(fieldNames);
    case "fields":
      return Object.entries(shape.of).flatMap(([name, inner]) => [name, ...fieldNames(inner)]);
    case "any":
    case "flag":
    case "one":
    case "text":
      return [];
  }
}

describe("docs/policy.md on tests in the file", () => {
  const section = /^## Tests in the file\n(.*?)^## /ms.exec(page("docs/policy.md"))?.[1] ?? "";
  const code = [...section.matchAll(/(?<!`)`([^`\n]+)`/g)].map(([, inside]) => inside).join(" ");

  it.each([...new Set(fieldNames(POLICY_WITH_TESTS.of["tests"] as Shape))])("names the field %s", (name) => {
    expect(code).toMatch(new RegExp(`\\b${name}\\b`));
  });

  it("shows a test of the example", () => {
    const [, test] = /```yaml\ntests:\n( +- name: .*\n +request: .*\n)/.exec(section) ?? [];
    expect(test).toBeDefined();
    expect(page("examples/bucket-keys.yaml")).toContain(test);
  });
});

/** The members of an interface, whose end is a brace at the beginning of a line. */
function members(file: string, name: string): string[] {
  const [body = ""] = page(file).split(`export interface ${name} `)[1]?.split(/^\}/m, 1) ?? [];
  return [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, member]) => member as string);
}

/** A number of the source as the guide writes it. */
function written(number: string): string {
  const others: Readonly<Record<string, string>> = {
    "Number.MAX_SAFE_INTEGER": "2^53 - 1",
    "128 * 2 ** 20": "2^27",
    "2 ** 16": "65,536",
  };
  return others[number] ?? number.replace(" ** ", "^").replace("_", ",");
}

describe("docs/envelope.md", () => {
  const guide = page("docs/envelope.md");
  const firstCells = [...guide.matchAll(/^\| ([^|]*) \|/gm)].map(([, cell]) => cell).join("\n");
  const options = [
    ...members("src/envelope/options.ts", "EnvelopeOptions"),
    ...members("src/envelope/cache-options.ts", "CacheOptions"),
  ];
  const union =
    page("src/envelope/errors.ts").split("export type EnvelopeProblem =")[1]?.split(";", 1)[0] ?? "";
  const problems = [...union.matchAll(/"([\w-]+)"/g)].map(([, word]) => word as string);
  const ranges = [
    ...page("src/envelope/cache-options.ts").matchAll(
      /^ {2}(\w+): \{ usual: (.*?), least: (.*?), most: (.*?), whole/gm,
    ),
  ].map(([, ...row]) => row as [name: string, usual: string, least: string, most: string]);

  it("is held against all options and problems", () => {
    expect(options).toEqual(expect.arrayContaining(["keyring", "uploadIdleSeconds", "maxAgeSeconds"]));
    expect(options.length).toBeGreaterThanOrEqual(23);
    expect(problems.length).toBeGreaterThanOrEqual(21);
    expect(ranges).toHaveLength(6);
  });

  it.each(options)("has a row for the option %s", (name) => {
    expect(firstCells).toContain(`\`${name}\``);
  });

  it.each(ranges)("has the true default and range of %s", (name, usual, least, most) => {
    const row = new RegExp(`^\\| \`${name}\` \\| (.*?) \\| (.*?) \\|`, "m").exec(guide);
    const range =
      name === "maxCachedBytes" ? `${written(least)} or more` : `${written(least)} to ${written(most)}`;
    expect(row?.slice(1)).toEqual([written(usual), range]);
  });

  it.each(problems)("says what to do about the problem %s", (word) => {
    expect(guide).toMatch(new RegExp(`^\\| \`${word}\` \\| \\S`, "m"));
  });

  it.each([
    "decryptKeyIds",
    "EnvelopeIntegrityError",
    "NotSealedError",
    "EnvelopeRefusedError",
    "KeyringError",
    "BucketKeyRefusedError",
  ])("speaks of %s", (name) => {
    expect(guide).toContain(`\`${name}\``);
  });
});

describe("README.md", () => {
  const blocks = shownFiles(page("README.md"));

  it("shows files of examples/", () => {
    expect(blocks.length).toBeGreaterThanOrEqual(3);
  });

  it.each(blocks)("shows %s as it is", (file, block) => {
    const source = page(file);
    // A block may leave out the file's first comment and parts between lines of "...".
    for (const part of block.split(/^ *(?:\/\/|#) \.\.\.\n/m)) expect(source).toContain(part.trim());
  });
});

describe("README.md's table of operations", () => {
  const rows = [...page("README.md").matchAll(/^\| `(\w+)` \| .* \| `(test\/\S+)` \|$/gm)].map(
    ([, operation, file]) => [operation as string, file as string] as const,
  );

  it("has every operation that can carry or show a bucket key, once", () => {
    const known = [...Object.keys(OPERATIONS), ...Object.keys(IGNORED_OPERATIONS), "PostObject"];
    expect(rows.map(([operation]) => operation).toSorted()).toEqual(known.toSorted());
  });

  it.each(rows)("names a test that speaks of %s: %s", (operation, file) => {
    expect(page(file)).toMatch(new RegExp(`\\b${operation}`));
  });
});
