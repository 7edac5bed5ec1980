/** `simulate` as the process that people start, and another process that knows nothing but its environment. */
import { execFile, spawn } from "node:child_process";
import { createServer, type AddressInfo } from "node:net";
import { promisify } from "node:util";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { program } from "./program.ts";

interface Simulate {
  readonly environment: Readonly<Record<string, string>>;
  end(signal: NodeJS.Signals): Promise<{ code: number | null; stdout: string; stderr: string }>;
}

/** Starts the real program and reads what it prints for a shell. */
function startProgram(args: readonly string[]): Promise<Simulate> {
  const child = spawn(process.execPath, ["--import", "tsx", "src/cli/main.ts", "simulate", ...args], {
    env: { PATH: process.env["PATH"] ?? "" },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 25_000,
  });
  let stdout = "";
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const closed = new Promise<number | null>((resolve) => child.once("close", resolve));
  return new Promise((resolve, reject) => {
    void closed.then((code) => reject(new Error(`It ended with ${code}: ${stderr}`)));
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      if (!stdout.includes("unset ")) return;
      resolve({
        environment: Object.fromEntries(
          [...stdout.matchAll(/^export (\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]),
        ),
        end: async (signal) => {
          child.kill(signal);
          return { code: await closed, stdout, stderr };
        },
      });
    });
  });
}

const CLIENT = `
  import { S3Client, PutObjectCommand } from "@aws-sdk/client-s3";
  const s3 = new S3Client({});
  const put = { Bucket: "lake", Body: "x", ServerSideEncryption: "aws:kms", BucketKeyEnabled: true };
  for (const Key of ["a", "b", "c"]) await s3.send(new PutObjectCommand({ ...put, Key }));
  await s3.send(new PutObjectCommand({ ...put, Key: "d", BucketKeyEnabled: false }));
`;

describe("the process", { timeout: 40_000 }, () => {
  it.each(["SIGINT", "SIGTERM"] as const)(
    "serves a stock client that has only the environment, and ends with %s, a table and 0",
    async (signal) => {
      const simulate = await startProgram(["--port", "0", "--bucket", "lake"]);
      const env = { PATH: process.env["PATH"] ?? "", ...simulate.environment };
      await promisify(execFile)(process.execPath, ["--input-type=module", "-e", CLIENT], {
        env,
        timeout: 20_000,
      });
      const asked = await fetch(`${simulate.environment["AWS_ENDPOINT_URL"]}/_simulator/kms-requests`);
      expect(await asked.json()).toMatchObject({ simulated: true, total: 2 });
      const { code, stderr } = await simulate.end(signal);
      expect(code).toBe(0);
      expect(stderr).toContain(
        "KMS requests made by S3 (simulated)\n\nrequests  action           level   bucket\n",
      );
      expect(stderr).toContain("       1  GenerateDataKey  bucket  lake\n");
      expect(stderr).toContain("       1  GenerateDataKey  object  lake\n");
      expect(stderr).toMatch(/\n {7}2 {2}in all\n$/);
    },
  );

  it("fits into a terminal of 80 columns", async () => {
    const simulate = await startProgram(["--port", "0", "--bucket", "lake", "--kms-key", "alias/lake"]);
    const { stdout, stderr } = await simulate.end("SIGINT");
    const { stdout: help } = await program(["simulate", "--help"]);
    const tooLong = `${stdout}${stderr}${help}`.split("\n").filter((line) => line.length > 80);
    // An ARN with its alias is as long as it is.
    expect(tooLong.filter((line) => !line.startsWith("KMS key  arn:"))).toEqual([]);
  });

  it("ends with 2 when the port is taken", async () => {
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, "127.0.0.1", resolve));
    const { port } = blocker.address() as AddressInfo;
    const { status, stdout, stderr } = await program(["simulate", "--port", `${port}`]);
    await new Promise((resolve) => blocker.close(resolve));
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(/^error: Port \d+ is taken: .*--port 0 for any that is free\.\n$/);
  });
});

describe("the other commands", () => {
  it("start without the simulator: it comes as a file of its own, when asked for", async () => {
    const { metafile } = await build({
      entryPoints: ["src/cli/main.ts"],
      outdir: "unwritten",
      bundle: true,
      splitting: true,
      packages: "external",
      platform: "node",
      format: "esm",
      metafile: true,
      write: false,
      logLevel: "silent",
    });
    const { outputs } = metafile;
    const reached = new Set<string>();
    const reach = (file: string): void => {
      if (reached.has(file)) return;
      reached.add(file);
      for (const { path, kind } of outputs[file]?.imports ?? []) if (kind === "import-statement") reach(path);
    };
    reach("unwritten/main.js");
    const inputs = (files: Iterable<string>): string[] =>
      [...files].flatMap((file) => Object.keys(outputs[file]?.inputs ?? {}));
    expect(inputs(reached)).toContain("src/cli/check.ts");
    expect(inputs(reached).filter((input) => input.startsWith("src/simulator/"))).toEqual([]);
    expect(inputs(Object.keys(outputs))).toContain("src/simulator/simulator.ts");
  });
});
