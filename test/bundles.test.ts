/** What bundlers, browsers and workers get: the main entry alone, without Node, and a package that loads either way. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { runInNewContext } from "node:vm";
import { build, type BuildOptions, type Metafile } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "..");

/** Web platforms have these; nothing else of the host is given to a bundle that claims to need no Node. */
const webGlobals = { console, TextEncoder, TextDecoder, URL, crypto, performance, setTimeout, clearTimeout };

const platforms = [
  ["a browser", { platform: "browser" }],
  ["workerd", { platform: "browser", conditions: ["workerd", "worker", "browser"] }],
] as const satisfies readonly (readonly [string, BuildOptions])[];

async function bundle(
  contents: string,
  options: BuildOptions,
): Promise<{ text: string; metafile: Metafile }> {
  const { outputFiles, metafile } = await build({
    format: "esm",
    target: "es2023",
    logLevel: "silent",
    ...options,
    stdin: { contents, resolveDir: root, loader: "ts" },
    absWorkingDir: root,
    bundle: true,
    metafile: true,
    write: false,
  });
  return { text: outputFiles[0]?.text ?? "", metafile };
}

/** What an ESM bundle needs when a dependency in it was written for CommonJS. */
const nodeRequire = `import { createRequire } from "node:module"; const require = createRequire(import.meta.url);`;

const everything = `export * from "./src/index.ts";`;

describe.each(platforms)("the main entry, bundled for %s", (_name, options) => {
  it("resolves without Node, OpenTelemetry or any dependency", async () => {
    const { metafile } = await bundle(everything, options);
    const inputs = Object.keys(metafile.inputs).filter((input) => input !== "<stdin>");
    expect(inputs).toContain("src/plugin.ts");
    expect(inputs.filter((input) => !input.startsWith("src/"))).toEqual([]);
    expect(Object.values(metafile.outputs).flatMap(({ imports }) => imports)).toEqual([]);
  });

  it("leaves the other entries out", async () => {
    const { metafile } = await bundle(everything, options);
    const rooms = new Set(Object.keys(metafile.inputs).map((input) => input.split("/")[1]));
    for (const room of ["otel", "policy-file", "bucket-defaults", "simulator", "cli", "envelope"]) {
      expect(rooms).not.toContain(room);
    }
  });

  it("runs where there is no process, no Buffer and no require", async () => {
    const { text } = await bundle(everything, { ...options, format: "iife", globalName: "api" });
    const script = `${text}
      const plugin = api.bucketKeys({ mode: "enforce" });
      let middleware;
      plugin.applyToStack({ add: (added) => { middleware = added; }, remove: () => false, identify: () => [] });
      const next = async ({ input }) => ({ output: input, response: { statusCode: 200, headers: {} } });
      const handler = middleware(next, { clientName: "S3Client", commandName: "PutObjectCommand" });
      const input = { Bucket: "b", Key: "k", ServerSideEncryption: "aws:kms" };
      handler({ input, middlewareStack: {} }).then(({ output }) => JSON.stringify({
        ...output, seen: plugin.stats().requests.length, host: [typeof process, typeof Buffer, typeof require],
      }));`;
    const answer = (await runInNewContext(script, { ...webGlobals })) as string;
    expect(JSON.parse(answer)).toMatchObject({
      BucketKeyEnabled: true,
      seen: 1,
      host: ["undefined", "undefined", "undefined"],
    });
  });
});

it("one error class, imported alone, brings little else of the main entry", async () => {
  const program = `import { BucketKeyRefusedError } from "./src/index.ts"; console.log(BucketKeyRefusedError);`;
  const { text } = await bundle(program, { platform: "browser", minify: true });
  expect(text.length).toBeLessThan(2048);
});

describe("a minified bundle of client and plugin", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "bucket-keys-bundles-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const program = `
    import { S3Client, PutObjectCommand, ListBucketsCommand } from "@aws-sdk/client-s3";
    import { bucketKeys } from "./src/index.ts";
    class Acme extends S3Client {}
    class AcmePut extends PutObjectCommand {}
    const client = new Acme({
      region: "eu-west-1",
      credentials: { accessKeyId: "a", secretAccessKey: "s" },
      requestHandler: { handle: async ({ headers }) => {
        console.log(headers["x-amz-server-side-encryption-bucket-key-enabled"] ?? "none");
        return { response: { statusCode: 200, headers: {}, body: new Uint8Array() } };
      } },
    });
    client.middlewareStack.use(bucketKeys({ mode: "enforce" }));
    const input = { Bucket: "b", Key: "k", Body: "x", ServerSideEncryption: "aws:kms" } as const;
    await client.send(new PutObjectCommand(input));
    await client.send(new AcmePut(input));
    await client.send(new ListBucketsCommand({}));
    console.log(AcmePut.name);`;

  it.each([["Node", { platform: "node", banner: { js: nodeRequire } }], ...platforms] as const)(
    "built for %s recognises operations by what the SDK says, not by names of classes",
    async (name, options) => {
      const { text } = await bundle(program, { ...options, minify: true });
      const file = join(folder, `${name.replace(/\W/g, "-")}.mjs`);
      await writeFile(file, text);
      const { stdout } = await run(process.execPath, [file]);
      const [put, subclassed, list, className] = stdout.split("\n");
      expect([put, subclassed, list]).toEqual(["true", "true", "none"]);
      expect(className).not.toBe("AcmePut");
    },
  );
});

describe("the built package", () => {
  const entries = [
    "s3-bucket-keys",
    "s3-bucket-keys/policy-file",
    "s3-bucket-keys/otel",
    "s3-bucket-keys/presigned",
    "s3-bucket-keys/bucket-defaults",
    "s3-bucket-keys/testing",
  ];

  it.each(entries)("%s loads by require and by import, as one and the same module", async (entry) => {
    const program = `const a = require("${entry}");
      import("${entry}").then((b) => {
        const names = Object.keys(b).filter((name) => name !== "default" && name !== "module.exports");
        console.log(JSON.stringify({ names, same: names.every((name) => a[name] === b[name]) }));
      });`;
    const { stdout, stderr } = await run(process.execPath, ["--input-type=commonjs", "-e", program], {
      cwd: root,
    });
    const { names, same } = JSON.parse(stdout) as { names: string[]; same: boolean };
    expect(names.length).toBeGreaterThan(0);
    expect(same).toBe(true);
    expect(stderr).not.toContain("Error");
  });
});
