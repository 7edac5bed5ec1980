import { describe, expect, it } from "vitest";
import { wantsColour } from "../../src/cli/io.ts";
import { run } from "../../src/cli/run.ts";

const KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const FILES: Readonly<Record<string, string>> = {
  "good.yaml": `version: 1
kmsKeys: { lake: "${KEY}" }
rules:
  - id: lake
    reason: The bill.
    match: { buckets: [lake] }
    kmsKey: "@lake"
    bucketKey: on
    mode: enforce
    expires: 2027-06-30
tests:
  - name: is completed
    request: { operation: PutObject, bucket: lake }
    expect: { why: completed }
`,
  "unreachable.yaml": `version: 1
rules:
  - { id: all, reason: x, kmsKey: "${KEY}", bucketKey: on }
  - { id: one, reason: x, kmsKey: "${KEY}", bucketKey: on, match: { buckets: [one] } }
`,
  "vault.yaml": `version: 1
rules:
  - { id: vault, reason: x, envelope: seal, match: { buckets: [vault] } }
`,
  "odd.yaml": "version: 1\nrules:\n  - { id: odd, reason: x, bucketKey: on }\n",
  "failing.yaml": `version: 1
tests:
  - { name: "50%: a, b", request: { operation: PutObject, bucket: b }, expect: { rule: "other" } }
`,
  "both.yaml": `version: 1
tests: [{ name: t, request: { operation: PutObject, bucket: b }, expect: { rule: x, mode: off } }]
rules: [{ id: odd, reason: x, bucketKey: on, expires: 2026-01-01 }]
`,
  "bad,name:1.yaml": "version: 1\nruls: []\n",
  "request.json": '{"operation":"PutObject","bucket":"lake","bucketKey":false}',
};

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function cli(args: readonly string[], { input = "", colour = false } = {}): Promise<Ran> {
  let out = "";
  let err = "";
  const code = await run(args, {
    out: (text) => (out += text),
    err: (text) => (err += text),
    readFile: (path) => {
      const text = FILES[path];
      return text === undefined ? Promise.reject(new Error(`ENOENT: ${path}`)) : Promise.resolve(text);
    },
    readInput: () => Promise.resolve(input),
    untilStopped: () => Promise.resolve(),
    writeFile: () => Promise.reject(new Error("nothing writes here")),
    colour,
    now: new Date("2026-11-25T12:00:00Z"),
  });
  return { code, out, err };
}

/** The notes about a request under good.yaml. */
async function notesOf(...args: readonly string[]): Promise<unknown> {
  const { out } = await cli(["explain", "good.yaml", "--format", "json", ...args]);
  return (JSON.parse(out) as { decision: { notes: unknown } }).decision.notes;
}

describe("check", () => {
  it.each([
    [["good.yaml"], 0],
    [["good.yaml", "--now", "2027-07-01"], 0],
    [["good.yaml", "--now", "2027-07-01", "--fail-on", "warning"], 1],
    [["odd.yaml"], 0],
    [["odd.yaml", "--fail-on", "warning"], 1],
    [["unreachable.yaml"], 1],
    [["unreachable.yaml", "--fail-on", "never"], 0],
    [["good.yaml", "unreachable.yaml"], 1],
    [["vault.yaml"], 0],
    [["failing.yaml", "--fail-on", "never"], 2],
    [["bad,name:1.yaml", "good.yaml"], 2],
    [["nope.yaml"], 2],
  ])("%j ends with %i", async (args, code) => {
    expect(await cli(["check", ...args])).toMatchObject({ code, err: "" });
  });

  it("prints findings in the order of the file, then how the file did", async () => {
    const { out } = await cli(["check", "unreachable.yaml", "odd.yaml"]);
    expect(out.split("\n")).toEqual([
      "unreachable.yaml:4:5: error: Rule one never decides: all stands before it and takes all it matches. Move it up, or narrow all. (unreachable)",
      expect.stringMatching(
        /^unreachable\.yaml: valid, policy [0-9a-f]{16}, 2 rules, 0 of 0 tests passed; 1 error, 0 warnings$/,
      ),
      expect.stringMatching(
        /^odd\.yaml:3:38: warning: Requests that name no encryption .* \(unenforceable\)$/,
      ),
      expect.stringMatching(/^odd\.yaml: valid, .* 1 rule, .*; 0 errors, 1 warning$/),
      "",
    ]);
  });

  it("mixes failed tests and findings in the order of the file", async () => {
    const { out } = await cli(["check", "both.yaml"]);
    const places = out.split("\n").map((line) => /^both\.yaml:(\d+):.*\((.*)\)$/.exec(line)?.slice(1));
    expect(places.filter((place) => place !== undefined)).toEqual([
      ["2", "failed-test"],
      ["2", "failed-test"],
      ["3", "unenforceable"],
      ["3", "expired"],
    ]);
  });

  it("prints colours where they are wanted", async () => {
    const { out } = await cli(["check", "odd.yaml", "failing.yaml"], { colour: true });
    expect(out).toContain("\u001B[33mwarning\u001B[39m");
    expect(out).toContain("\u001B[32mvalid\u001B[39m");
    expect(out).toContain("\u001B[31mcan't be used\u001B[39m, 0 rules, 0 of 1 test passed");
  });

  it("prints annotations for GitHub, escaped as its runner wants", async () => {
    const { out, code } = await cli([
      "check",
      "--format",
      "github",
      "failing.yaml",
      "bad,name:1.yaml",
      "odd.yaml",
      "good.yaml",
    ]);
    expect(code).toBe(2);
    expect(out.split("\n")).toEqual([
      '::error file=failing.yaml,line=3,col=88,title=s3-bucket-keys failed-test::Test "50%25: a, b" expects rule other and gets defaults (pass, no-rule, rule defaults): change the rule or the test.',
      '::error file=bad%2Cname%3A1.yaml,line=2,col=1,title=s3-bucket-keys unknown-field::"ruls" isn\'t a field here. Did you mean rules?',
      expect.stringMatching(
        /^::warning file=odd\.yaml,line=3,col=38,title=s3-bucket-keys unenforceable::Requests/,
      ),
      "",
    ]);
  });

  it("prints JSON with a version, whatever was found", async () => {
    const { out } = await cli(["check", "--format", "json", "good.yaml", "failing.yaml", "nope.yaml"]);
    expect(JSON.parse(out)).toEqual({
      version: 1,
      files: [
        {
          file: "good.yaml",
          valid: true,
          policyDigest: expect.stringMatching(/^[0-9a-f]{16}$/),
          rules: 1,
          tests: { passed: 1, failed: 0 },
          problems: [],
        },
        expect.objectContaining({
          valid: false,
          tests: { passed: 0, failed: 1 },
          problems: [
            expect.objectContaining({
              code: "failed-test",
              severity: "error",
              path: ["tests", 0, "expect", "rule"],
              line: 3,
              column: 88,
              at: "failing.yaml:3:88",
            }),
          ],
        }),
        expect.objectContaining({
          file: "nope.yaml",
          problems: [expect.objectContaining({ code: "unreadable", line: 1 })],
        }),
      ],
    });
  });
});

describe("explain", () => {
  const request = '{"operation":"PutObject","bucket":"lake","key":"a","kmsKey":"@lake","sse":"aws:kms"}';

  it("says what a request becomes, in words", async () => {
    const { code, out, err } = await cli(["explain", "good.yaml", "--request", request]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toBe(
      'lake: matches\namend (set): the request gets the rule\'s flag. Enforcing writes {"bucketKey":true}. The mode is enforce. Rule lake: The bill.\n',
    );
  });

  it.each([
    ["@request.json", ""],
    ["-", FILES["request.json"]],
  ])("reads the request from %s, and answers in JSON", async (from, input = "") => {
    const { code, out } = await cli(["explain", "good.yaml", "--request", from, "--format", "json"], {
      input,
    });
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      version: 1,
      decision: { decision: "amend", why: "overridden", rule: "lake", set: { kmsKey: KEY } },
      trace: [{ rule: "lake", result: "decided" }],
    });
  });

  it("holds expires against now, the option --now, or the request's own now", async () => {
    expect(await notesOf("--request", request)).toEqual([]);
    expect(await notesOf("--request", request, "--now", "2028-01-01")).toEqual(["expired-rule"]);
    expect(await notesOf("--request", request.replace("}", ',"now":"2029-01-01"}'))).toEqual([
      "expired-rule",
    ]);
  });

  it("explains a policy whose own tests fail, and says so on the side", async () => {
    const { code, out, err } = await cli([
      "explain",
      "failing.yaml",
      "--request",
      '{"operation":"PutObject","bucket":"b"}',
    ]);
    expect(code).toBe(0);
    expect(out).toContain("pass (no-rule)");
    expect(err).toMatch(/^failing\.yaml:3:88: error: Test .* \(failed-test\)\n$/);
  });

  it.each([
    [
      ["explain", "nope.yaml", "--request", "{}"],
      /^error: nope\.yaml could not be read \(ENOENT.*check the path\.\n$/,
    ],
    [["explain", "good.yaml", "--request", "@nope.json"], /^error: nope\.json could not be read/],
    [["explain", "good.yaml", "--request", "{"], /^error: --request is no JSON \(.*\): write '\{"operation"/],
    [
      ["explain", "good.yaml", "--request", "[]"],
      /^error: --request: Expected fields such as operation, found a list\.\n$/,
    ],
    [
      ["explain", "good.yaml", "--request", '{"operation":"PutObjet","buket":"b"}'],
      /^error: --request\.operation: .*Did you mean PutObject\?\n--request\.buket: .*Did you mean bucket\?\n--request: bucket is missing/,
    ],
    ...Object.entries({
      Bucket: "bucket",
      Key: "key",
      ServerSideEncryption: "sse",
      SSEKMSKeyId: "kmsKey",
      BucketKeyEnabled: "bucketKey",
      SSEKMSEncryptionContext: "ownContext: true",
      SSECustomerAlgorithm: "sse: SSE-C",
      CopySource: "copySource, with bucket in it",
    }).map(([member, fact]): [string[], RegExp] => [
      ["explain", "good.yaml", "--request", `{"operation":"CopyObject","bucket":"b","${member}":"x"}`],
      new RegExp(`^error: --request\\.${member}: "${member}" isn't a field here\\. Write ${fact}\\.\\n$`),
    ]),
    [
      ["explain", "good.yaml", "--request", '{"operation":"PutObject","bucket":"b","kmsKey":"@sea"}'],
      /^error: --request\.kmsKey: @sea isn't in kmsKeys/,
    ],
    [
      ["explain", "bad,name:1.yaml", "--request", "{}"],
      /^bad,name:1\.yaml:2:1: error: "ruls" isn't a field here/,
    ],
    [["explain", "good.yaml"], /required option '--request <json>' not specified/],
    [["check"], /missing required argument 'file'/],
    [["check", "good.yaml", "--now", "someday"], /Write a date, such as 2027-06-30/],
    [["check", "good.yaml", "--format", "sarif"], /Allowed choices are text, json, github/],
    [["chek", "good.yaml"], /unknown command 'chek'/],
    [[], /Usage: s3-bucket-keys/],
  ])("%j ends with 2, and says why on stderr", async (args, says) => {
    const { code, out, err } = await cli(args);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(says);
  });

  it("lets faults of its own through", async () => {
    const io = {
      out: () => {
        throw new Error("no room");
      },
      err: () => {},
      readFile: () => Promise.resolve("version: 1"),
      readInput: () => Promise.resolve(""),
      untilStopped: () => Promise.resolve(),
      writeFile: () => Promise.resolve(),
      colour: false,
      now: new Date(),
    };
    await expect(run(["check", "x"], io)).rejects.toThrow("no room");
  });
});

describe("colours", () => {
  it.each([
    [{}, true, true],
    [{}, false, false],
    [{ NO_COLOR: "1" }, true, false],
    [{ NO_COLOR: "" }, true, true],
    [{ FORCE_COLOR: "1" }, false, true],
    [{ FORCE_COLOR: "1", NO_COLOR: "1" }, false, true],
    [{ FORCE_COLOR: "0" }, true, false],
    [{ FORCE_COLOR: "" }, false, false],
  ])("%j on a terminal (%s): %s", (env, isTerminal, wanted) => {
    expect(wantsColour(env, isTerminal)).toBe(wanted);
  });
});

describe("help", () => {
  it.each([
    [["--help"], ["Examples:", "s3-bucket-keys check bucket-keys.yaml", "Exit codes:"]],
    [
      ["check", "--help"],
      ["--fail-on <severity>", "--format github --fail-on warning policies/*.yaml", "Exit codes:"],
    ],
    [
      ["explain", "--help"],
      ["--request <json>", "@FILE", "--request -"],
    ],
  ])("%j shows options and examples on stdout", async (args, pieces) => {
    const { code, out, err } = await cli(args);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    for (const piece of pieces) expect(out).toContain(piece);
  });

  it.each(["", "check", "explain", "schema", "report", "simulate"])(
    "of %j fits into a terminal of 80 columns",
    async (command) => {
      const { out } = await cli([...command.split(" ").filter(Boolean), "--help"]);
      expect(out.split("\n").filter(({ length }) => length > 80)).toEqual([]);
    },
  );
});

describe("schema", () => {
  it("prints the JSON Schema", async () => {
    const { code, out } = await cli(["schema"]);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ $schema: expect.stringContaining("draft-07"), type: "object" });
  });
});
