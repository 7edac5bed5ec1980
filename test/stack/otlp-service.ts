/** Starts `otlp-service.mjs` beside the packages of one line of the OpenTelemetry SDK, as an application installs them. */
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { build } from "esbuild";
import { manifest, packagesIn, runtime, type Versions } from "../matrix/packages.ts";
import { observabilityFile } from "../observability/dashboard-queries.ts";
import { startTalking, within } from "../peers/process.ts";
import { logFile, ROOT, temporaryFolder } from "./files.ts";

export type Line = "2.x" | "3.x";

const API = "@opentelemetry/api";
const LINES: Readonly<Record<Line, Versions>> = {
  "2.x": {
    [API]: "1.9.1",
    "@opentelemetry/sdk-metrics": "2.12.1",
    "@opentelemetry/resources": "2.12.1",
    "@opentelemetry/exporter-metrics-otlp-http": "0.223.0",
  },
  "3.x": {
    [API]: "1.10.0",
    "@opentelemetry/sdk-metrics": "3.1.1",
    "@opentelemetry/resources": "3.1.1",
    "@opentelemetry/exporter-metrics-otlp-http": "0.301.0",
  },
};
const CLIENTS = ["@aws-sdk/client-s3", "@aws-sdk/client-kms"];
const ANSWER_MS = 30_000;

/** Where its metrics go. */
export interface Endpoints {
  readonly cumulative: string;
  readonly delta: string;
}

export interface OtlpService {
  /** `shop/otlp-2.x`: as a Collector names it. */
  readonly job: string;
  /** Milliseconds since 1970 at which it had been done. */
  tell(what: "drift" | "trouble" | "end"): Promise<number>;
  stop(): Promise<void>;
}

export async function startOtlpService(line: Line, endpoints: Endpoints): Promise<OtlpService> {
  const clients = CLIENTS.map((name) => [name, manifest.devDependencies[name] ?? ""]);
  const folder = await packagesIn(`otlp-${line}`, {
    ...manifest.dependencies,
    ...Object.fromEntries(clients),
    ...LINES[line],
  });
  const installed = join(folder, "node_modules/s3-bucket-keys");
  rmSync(installed, { recursive: true, force: true });
  for (const part of ["dist", "package.json"])
    cpSync(join(ROOT, part), join(installed, part), { recursive: true });
  const program = join(folder, "otlp-service.mjs");
  await build({
    entryPoints: [join(ROOT, "test/stack/otlp-service.mjs")],
    outfile: program,
    bundle: true,
    packages: "external",
    format: "esm",
    platform: "node",
    logLevel: "warning",
  });

  const service = `otlp-${line}`;
  const node = line === "3.x" ? await runtime("node22") : process.execPath;
  const task = {
    ...endpoints,
    service,
    policyFile: observabilityFile("bucket-keys.yaml"),
    folder: temporaryFolder(service),
  };
  const running = startTalking(node, [program, JSON.stringify(task)], {
    logFile: logFile(service),
    cwd: folder,
  });
  const answers = createInterface({ input: running.stdout })[Symbol.asyncIterator]();
  return {
    job: `shop/${service}`,
    async tell(what): Promise<number> {
      running.stdin.write(`${what}\n`);
      const answer = await within(ANSWER_MS, answers.next(), `${service} did not ${what}`);
      if (answer.done === true) throw new Error(`${service} ended.\n${running.lastOutput()}`);
      return Number(answer.value.split(" ")[1]);
    },
    stop: () => running.stop(),
  };
}
