/** A real workload through `@opentelemetry/exporter-prometheus`, scraped, judged and notified of. */
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePorts } from "../peers/ports.ts";
import { committedDashboard, observabilityFile, panelQueries } from "../observability/dashboard-queries.ts";
import { BAR_SECONDS, driftNotice } from "./drift-alert.ts";
import { counted, silentPanels, silentRules, untilNothing } from "./expectations.ts";
import { say, temporaryFolder } from "./files.ts";
import { type Stack, startStack } from "./stack.ts";
import { installedTools } from "./tools.ts";
import { startWorkload, type Workload } from "./workload.ts";

const APP = { jobs: "app" };

describe("behind the JavaScript Prometheus exporter", () => {
  let stack: Stack | undefined;
  let workload: Workload | undefined;
  let provider: MeterProvider | undefined;
  let port: number;

  const running = (): Stack => {
    if (stack === undefined) throw new Error("The stack does not run");
    return stack;
  };

  beforeAll(async () => {
    const tools = await installedTools();
    port = await freePorts(2);
    stack = await startStack(tools, {
      app: `127.0.0.1:${port}`,
      collector: `127.0.0.1:${port + 1}`,
    });
  });
  afterAll(async () => {
    await workload?.stop();
    await provider?.shutdown();
    await stack?.stop();
  });

  it("says so while no client wears the plugin", async () => {
    const { prometheus } = running();
    const missing = async (): Promise<readonly string[]> =>
      (await prometheus.query('ALERTS{alertname="S3BucketKeyPluginMissing"}')).length > 0
        ? []
        : ["the alert"];
    expect(await untilNothing(missing, 30_000)).toEqual([]);
  });

  it("brings a drift that came before the first scrape to the webhook", async () => {
    const notice = await driftNotice(running().webhook, {
      job: "app",
      async drifted() {
        const exporter = new PrometheusExporter({ host: "127.0.0.1", port, preventServerStart: true });
        provider = new MeterProvider({ readers: [exporter] });
        workload = await startWorkload({
          meterProvider: provider,
          policyFile: observabilityFile("bucket-keys.yaml"),
          folder: temporaryFolder("workload"),
        });
        const at = await workload.drift();
        await exporter.startServer();
        return at;
      },
    });
    expect(notice).toMatchObject({
      path: "/pager",
      labels: { severity: "critical", s3_bucket_key_drift_kind: "bucket-key" },
      annotations: { summary: "app: S3 stored something else than PutObject asked for" },
    });
    expect(notice.seconds).toBeLessThanOrEqual(BAR_SECONDS);
  });

  it("answers every query of the dashboard", async () => {
    await workload?.trouble();
    const silent = await untilNothing(() => silentPanels(running().prometheus, APP), 100_000);
    expect(silent).toEqual([]);
  });

  it("would notice: of a job that nobody has, every query is silent", async () => {
    const names = panelQueries(committedDashboard()).map(({ name }) => name);
    const silent = await silentPanels(running().prometheus, { jobs: "nobody" });
    expect(names.filter((name) => !silent.some((line) => line.startsWith(`${name}:`)))).toEqual([]);
  });

  it("records every series of the rules and has every alert pending or firing", async () => {
    const silent = await untilNothing(() => silentRules(running().prometheus, APP), 60_000);
    expect(silent).toEqual([]);
    say(`through exporter-prometheus: ${await counted(running().prometheus)}, none silent`);
  });
});
