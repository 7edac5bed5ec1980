/** A running Collector: the shipped configuration, and beside it what a test needs to look inside. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePorts } from "../peers/ports.ts";
import { type Environment, run, startProcess, waitUntil } from "../peers/process.ts";
import { observabilityFile } from "../observability/dashboard-queries.ts";
import { logFile, temporaryFolder } from "./files.ts";
import type { Endpoints } from "./otlp-service.ts";

/** A data point of a sum or a histogram. */
interface Point {
  readonly asInt?: string;
  readonly asDouble?: number;
  readonly count?: string;
  readonly attributes?: readonly {
    readonly key: string;
    readonly value: { readonly stringValue?: string };
  }[];
}

/** A metric of one export, as OTLP's JSON has it. */
export interface OtlpMetric {
  readonly name: string;
  readonly unit: string;
  readonly sum?: {
    /** 1: delta, 2: cumulative. */
    readonly aggregationTemporality: number;
    readonly isMonotonic?: boolean;
    readonly dataPoints: readonly Point[];
  };
  readonly histogram?: { readonly aggregationTemporality: number; readonly dataPoints: readonly Point[] };
}

export interface Collector {
  readonly endpoints: Endpoints;
  /** What Prometheus scrapes. */
  readonly prometheus: string;
  /** What came so far, by the service that sent it. */
  received(which: keyof Endpoints, service: string): readonly OtlpMetric[];
  stop(): Promise<void>;
}

const http = (endpoint: string): object => ({ protocols: { http: { endpoint } } });

export async function startCollector(program: string): Promise<Collector> {
  const folder = temporaryFolder("collector");
  const port = await freePorts(3);
  const [cumulative, delta, prometheus] = [0, 1, 2].map((i) => `127.0.0.1:${port + i}`) as [
    string,
    string,
    string,
  ];
  const files = { cumulative: join(folder, "cumulative.json"), delta: join(folder, "delta.json") };
  for (const file of Object.values(files)) writeFileSync(file, "");
  const beside = join(folder, "beside.yaml");
  // JSON is YAML. Lists take the place of the shipped ones; everything else is merged into it.
  writeFileSync(
    beside,
    JSON.stringify({
      receivers: { otlp: http(cumulative), "otlp/delta": http(delta) },
      exporters: {
        prometheus: { endpoint: prometheus },
        file: { path: files.cumulative },
        "file/delta": { path: files.delta },
        debug: {},
      },
      service: {
        pipelines: {
          metrics: { exporters: ["prometheus", "file", "debug"] },
          "metrics/delta": { receivers: ["otlp/delta"], exporters: ["file/delta", "debug"] },
        },
      },
    }),
  );
  const log = logFile("collector");
  const running = startProcess(
    program,
    ["--config", observabilityFile("collector/prometheus.yaml"), "--config", beside],
    { logFile: log, cwd: folder },
  );
  try {
    await waitUntil(async () => readFileSync(log, "utf8").includes("Everything is ready"), {
      processes: [running],
      timeoutSeconds: 60,
      failure: "The Collector did not come up",
    });
  } catch (error) {
    await running.stop();
    throw error;
  }
  return {
    endpoints: { cumulative: `http://${cumulative}/v1/metrics`, delta: `http://${delta}/v1/metrics` },
    prometheus,
    received: (which, service) => metricsOf(readFileSync(files[which], "utf8"), service),
    stop: () => running.stop(),
  };
}

/** `otelcol validate`. @throws `Error` with what it says. */
export async function validate(program: string, name: string): Promise<void> {
  // Nobody's credentials, and no look-up of any.
  const env: Environment = {
    AWS_REGION: "eu-west-1",
    AWS_ACCESS_KEY_ID: "none",
    AWS_SECRET_ACCESS_KEY: "none",
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
  };
  await run(program, ["validate", "--config", observabilityFile(`collector/${name}`)], {
    logFile: logFile(`validate-${name}`),
    env,
    timeoutSeconds: 60,
    failure: `The Collector does not accept ${name}`,
  });
}

interface Exported {
  readonly resourceMetrics: readonly {
    readonly resource: { readonly attributes: NonNullable<Point["attributes"]> };
    readonly scopeMetrics: readonly { readonly metrics: readonly OtlpMetric[] }[];
  }[];
}

function metricsOf(file: string, service: string): readonly OtlpMetric[] {
  // The last line may be half written.
  const whole = file.slice(0, file.lastIndexOf("\n") + 1);
  return whole
    .split("\n")
    .filter(Boolean)
    .flatMap((line) => (JSON.parse(line) as Exported).resourceMetrics)
    .filter(({ resource }) => resource.attributes.some(({ value }) => value.stringValue === service))
    .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics));
}

/** What the points of one metric say together. */
export function total(metrics: readonly OtlpMetric[], name: string): number {
  return metrics
    .filter((metric) => metric.name === name)
    .flatMap(({ sum, histogram }) => (sum ?? histogram)?.dataPoints ?? [])
    .reduce((all, { asInt, asDouble, count }) => all + Number(asInt ?? asDouble ?? count ?? 0), 0);
}
