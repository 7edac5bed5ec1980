/** The workload beside both lines of the OpenTelemetry SDK, over OTLP through a Collector into Prometheus. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { METRICS } from "s3-bucket-keys/otel";
import { type Collector, startCollector, total, validate } from "./collector.ts";
import { builtCollector, COLLECTOR_VERSION } from "./collector-build.ts";
import { BAR_SECONDS, driftNotice } from "./drift-alert.ts";
import { counted, silentPanels, silentRules, untilNothing } from "./expectations.ts";
import { say } from "./files.ts";
import { type Line, type OtlpService, startOtlpService } from "./otlp-service.ts";
import { type Stack, startStack } from "./stack.ts";
import { installedTools } from "./tools.ts";

const LINES: readonly Line[] = ["2.x", "3.x"];
const DELTA = 1;
const CUMULATIVE = 2;

describe(`through a Collector ${COLLECTOR_VERSION}`, () => {
  let program: string;
  let collector: Collector | undefined;
  let stack: Stack | undefined;
  const services = new Map<Line, OtlpService>();

  const running = (): { readonly stack: Stack; readonly collector: Collector } => {
    if (stack === undefined || collector === undefined) throw new Error("The stack does not run");
    return { stack, collector };
  };
  const service = (line: Line): OtlpService => {
    const started = services.get(line);
    if (started === undefined) throw new Error(`The service of ${line} does not run`);
    return started;
  };

  beforeAll(async () => {
    const tools = await installedTools();
    program = await builtCollector();
    collector = await startCollector(program);
    stack = await startStack(tools, { app: "127.0.0.1:1", collector: collector.prometheus });
    for (const line of LINES) services.set(line, await startOtlpService(line, collector.endpoints));
  });
  afterAll(async () => {
    await Promise.all([...services.values()].map((one) => one.stop()));
    await stack?.stop();
    await collector?.stop();
  });

  it.each(["prometheus.yaml", "cloudwatch-otlp.yaml"])("accepts the shipped %s", async (name) => {
    await expect(validate(program, name)).resolves.toBeUndefined();
    say(`collector/${name}: accepted by otelcol validate`);
  });

  it("cannot judge the shipped cloudwatch-emf.yaml, for want of awsemf alone", async () => {
    await expect(validate(program, "cloudwatch-emf.yaml")).rejects.toThrow(/unknown type: "awsemf"/);
    say("collector/cloudwatch-emf.yaml: NOT RUN, awsemf is not in this build");
  });

  it.each(LINES)("brings a drift of a service with SDK %s to the webhook", async (line) => {
    const told = service(line);
    const notice = await driftNotice(running().stack.webhook, {
      job: told.job,
      drifted: () => told.tell("drift"),
    });
    expect(notice).toMatchObject({ path: "/pager", labels: { severity: "critical" } });
    expect(notice.seconds).toBeLessThanOrEqual(BAR_SECONDS);
  });

  it.each(LINES)("answers every query of the dashboard for SDK %s", async (line) => {
    const told = service(line);
    await told.tell("trouble");
    const asked = { jobs: told.job };
    expect(await untilNothing(() => silentPanels(running().stack.prometheus, asked), 100_000)).toEqual([]);
  });

  it.each(LINES)("records every series and has every alert for SDK %s", async (line) => {
    const { prometheus } = running().stack;
    const asked = { jobs: service(line).job };
    expect(await untilNothing(() => silentRules(prometheus, asked), 100_000)).toEqual([]);
    say(`through a Collector, SDK ${line}: ${await counted(prometheus)}, none silent`);
  });

  it("puts units behind the names, which the rules take", async () => {
    const { prometheus } = running().stack;
    for (const name of [
      "s3_bucket_key_kms_request_duration_seconds_count",
      "s3_bucket_key_envelope_data_key_age_seconds_count",
      "s3_bucket_key_envelope_io_bytes_total",
    ]) {
      expect({ name, series: (await prometheus.query(name)).length }).not.toEqual({ name, series: 0 });
    }
    expect(await prometheus.query("s3_bucket_key_kms_request_duration_count")).toEqual([]);
  });

  it.each(LINES)("gets deltas that add up, as Datadog wants them, from SDK %s", async (line) => {
    const told = service(line);
    await told.tell("end");
    const name = told.job.replace("shop/", "");
    const from = running().collector;
    // Each metric as last seen: the file exporter writes within a second.
    const settled = async (): Promise<readonly string[]> => {
      const deltas = total(from.received("delta", name), METRICS.requests.name);
      const last = from
        .received("cumulative", name)
        .findLast((metric) => metric.name === METRICS.requests.name);
      const sum = total(last === undefined ? [] : [last], METRICS.requests.name);
      return deltas > 0 && deltas === sum ? [] : [`deltas add up to ${deltas}, the counter says ${sum}`];
    };
    expect(await untilNothing(settled, 10_000)).toEqual([]);

    const deltas = from.received("delta", name);
    expect(total(deltas, METRICS.drifts.name)).toBe(2);
    for (const { sum, histogram, name: metric } of deltas) {
      const isLevel = sum !== undefined && sum.isMonotonic !== true;
      const temporality = (sum ?? histogram)?.aggregationTemporality;
      expect({ metric, temporality }).toEqual({ metric, temporality: isLevel ? CUMULATIVE : DELTA });
    }
    expect(new Set(deltas.map((one) => one.name))).toEqual(
      new Set(Object.values(METRICS).map((one) => one.name)),
    );
    say(`deltas of SDK ${line}: each counter and histogram is one; requests add up to the cumulative count`);
  });
});
