/** The package as users get it: packed, installed from the tarball, used over HTTP on every runtime. */
import { rm, cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CreateBucketCommand, HeadObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { build } from "esbuild";
import { startSimulator } from "s3-bucket-keys/testing";
import { freePorts } from "../peers/ports.ts";
import { answers, run, startProcess, waitUntil } from "../peers/process.ts";
import { checked, together, type Lane, type Outcome } from "./lane.ts";
import { logs, manifest, npm, packagesIn, root, runtime, type Runtime } from "./packages.ts";

const SMOKE_SECONDS = 60;
const CLIENT = "@aws-sdk/client-s3";

/** What `smoke/smoke.mjs` says it saw. */
interface Seen {
  readonly stored: boolean;
  readonly refused: string;
  readonly why: string;
  readonly decisions: readonly string[];
}

/** Runs the smoke in one runtime against this endpoint and returns what it printed. */
type Smoke = (task: string) => Promise<Seen>;

let installed: Promise<string> | undefined;

/** The tarball, installed beside the client alone; what the package needs it must bring. */
function packedPackage(): Promise<string> {
  installed ??= (async () => {
    const folder = await packagesIn("package", { [CLIENT]: manifest.devDependencies[CLIENT] ?? "" });
    const packed = await npm(root, ["pack", "--silent", "--pack-destination", folder], "npm-pack");
    await rm(join(folder, "node_modules/s3-bucket-keys"), { recursive: true, force: true });
    await npm(folder, ["install", "--no-save", `./${packed.trim().split("\n").at(-1)}`], "npm-tarball");
    await cp(join(root, "test/matrix/smoke"), join(folder, "smoke"), { recursive: true });
    return folder;
  })();
  return installed;
}

/** The write must have reached the server with its bucket key, the refused one not at all. */
async function smokeAgainstSimulator(lane: string, smoke: Smoke): Promise<void> {
  const simulator = await startSimulator();
  const s3 = new S3Client(simulator.clientConfig);
  const Bucket = "smoke";
  try {
    await s3.send(new CreateBucketCommand({ Bucket }));
    const seen = await smoke(JSON.stringify({ clientConfig: simulator.clientConfig, bucket: Bucket }));
    const expected: Seen = {
      stored: true,
      refused: "ERR_BUCKET_KEY_REFUSED",
      why: "refused-flag",
      decisions: ["amend", "refuse"],
    };
    if (JSON.stringify(seen) !== JSON.stringify(expected)) {
      throw new Error(`${lane} saw ${JSON.stringify(seen)}`);
    }
    const { BucketKeyEnabled } = await s3.send(new HeadObjectCommand({ Bucket, Key: "amended" }));
    if (BucketKeyEnabled !== true) throw new Error("the stored object has no bucket key");
    const missing = await s3
      .send(new HeadObjectCommand({ Bucket, Key: "refused" }))
      .catch((error: Error) => error.name);
    if (missing !== "NotFound") throw new Error("the refused write reached the server");
  } finally {
    s3.destroy();
    await simulator.close();
  }
}

/** A runtime that runs a program of the installed package's folder. */
async function program(lane: string, command: Runtime, args: readonly string[]): Promise<string> {
  const folder = await packedPackage();
  return run(await runtime(command), args, {
    cwd: folder,
    logFile: join(logs, `${lane}-${args.find((arg) => arg.includes("/"))?.replace(/\W/g, "-")}.log`),
    timeoutSeconds: SMOKE_SECONDS,
    failure: `the package does not work on ${command}`,
    env: { DENO_DIR: join(folder, ".deno"), DENO_NO_UPDATE_CHECK: "1", NODE_NO_WARNINGS: "1" },
  });
}

function seenIn(output: string): Seen {
  return JSON.parse(output.trim().split("\n").at(-1) ?? "") as Seen;
}

function nodeLane(node: "node20" | "node22" | "node24"): Lane {
  const name = `package-${node}`;
  return {
    name,
    subject: `packed package on ${node.replace("node", "Node ")}`,
    run: async () =>
      together(
        await checked("smoke", () =>
          smokeAgainstSimulator(name, async (task) =>
            seenIn(await program(name, node, ["smoke/main.mjs", task])),
          ),
        ),
        await checked("entries by require and import", () => program(name, node, ["smoke/entries.cjs"])),
        await checked("the command", () =>
          program(name, node, ["node_modules/s3-bucket-keys/dist/cli/main.js", "--help"]),
        ),
      ),
  };
}

function otherLane(command: "bun" | "deno", args: readonly string[]): Lane {
  const name = `package-${command}`;
  const smoke: Smoke = async (task) =>
    seenIn(await program(name, command, [...args, "smoke/main.mjs", task]));
  return {
    name,
    subject: `packed package on ${command === "bun" ? "Bun" : "Deno"}`,
    run: () => checked("smoke", () => smokeAgainstSimulator(name, smoke)),
  };
}

/** A worker is a bundle, made as its users make it, and a server. No compatibility with Node is switched on. */
async function inWorkerd(task: string): Promise<Seen> {
  const folder = await packedPackage();
  await build({
    entryPoints: [join(folder, "smoke/worker.mjs")],
    outfile: join(folder, "smoke/worker.bundle.js"),
    absWorkingDir: folder,
    bundle: true,
    format: "esm",
    platform: "browser",
    conditions: ["workerd", "worker", "browser"],
    logLevel: "silent",
  });
  const port = await freePorts(1);
  const config = join(folder, "smoke/workerd.capnp");
  await writeFile(config, workerdConfig(port));
  const workerd = startProcess(await runtime("workerd"), ["serve", config], {
    logFile: join(logs, "package-workerd.log"),
  });
  const url = `http://127.0.0.1:${port}/`;
  try {
    await waitUntil(() => answers(url), {
      timeoutSeconds: 20,
      processes: [workerd],
      failure: "workerd did not answer",
    });
    const response = await fetch(url, {
      method: "POST",
      body: task,
      signal: AbortSignal.timeout(SMOKE_SECONDS * 1000),
    });
    if (!response.ok) throw new Error(`the worker failed: ${await response.text()}`);
    return (await response.json()) as Seen;
  } finally {
    await workerd.stop();
  }
}

function workerdConfig(port: number): string {
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "internet", network = (allow = ["local"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "worker.bundle.js")],
  compatibilityDate = "2026-01-01",
);
`;
}

export const packageLanes: readonly Lane[] = [
  nodeLane("node20"),
  nodeLane("node22"),
  nodeLane("node24"),
  otherLane("bun", ["run"]),
  otherLane("deno", ["run", "--allow-all", "--node-modules-dir=manual"]),
  {
    name: "package-workerd",
    subject: "packed package, bundled, on workerd",
    run: (): Promise<Outcome> => checked("smoke", () => smokeAgainstSimulator("package-workerd", inWorkerd)),
  },
];
