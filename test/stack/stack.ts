/** Prometheus and Alertmanager as the shipped files set them up, with other addresses, on free ports of 127.0.0.1. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePorts } from "../peers/ports.ts";
import { answers, type RunningProcess, startProcess, waitUntil } from "../peers/process.ts";
import { observabilityFile } from "../observability/dashboard-queries.ts";
import { logFile, temporaryFolder } from "./files.ts";
import { PrometheusApi } from "./prometheus.ts";
import { runTool, type Tools } from "./tools.ts";
import { startWebhook, type Webhook } from "./webhook.ts";

/** As shipped: how often rules are evaluated. */
export const EVALUATION_SECONDS = 5;
const SCRAPE_SECONDS = 1;

/** A job that had clients with the plugin an hour ago and has none now. */
export const LOST_JOB = "lost";

export interface Stack {
  readonly prometheus: PrometheusApi;
  readonly webhook: Webhook;
  stop(): Promise<void>;
}

/** Addresses that stand in the place of those in `prometheus.yaml`; nobody need be there yet, or ever. */
export interface Targets {
  readonly app: string;
  readonly collector: string;
}

export async function startStack(tools: Tools, targets: Targets): Promise<Stack> {
  const folder = temporaryFolder("stack");
  const data = join(folder, "prometheus");
  mkdirSync(data);
  const first = await freePorts(2);
  const [prometheus, alertmanager] = [`127.0.0.1:${first}`, `127.0.0.1:${first + 1}`];
  const webhook = await startWebhook('# TYPE target_info gauge\ntarget_info{service_name="lost"} 1\n');
  const running: RunningProcess[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(running.map((one) => one.stop()));
    await webhook.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };

  try {
    const alerts = replaced("alertmanager.yaml", { "http://127.0.0.1:9099": `http://${webhook.address}` });
    writeFileSync(join(folder, "alertmanager.yaml"), alerts);
    const config = replaced("prometheus.yaml", {
      "127.0.0.1:9093": alertmanager,
      "127.0.0.1:9464": targets.app,
      "127.0.0.1:8889": targets.collector,
      "scrape_interval: 5s": `scrape_interval: ${SCRAPE_SECONDS}s`,
      [`evaluation_interval: ${EVALUATION_SECONDS}s`]: `evaluation_interval: ${EVALUATION_SECONDS}s`,
      "[prometheus-rules.yaml]": `[${JSON.stringify(observabilityFile("prometheus-rules.yaml"))}]`,
    });
    const lost = `\n  - job_name: ${LOST_JOB}\n    static_configs: [{ targets: ["${webhook.address}"] }]\n`;
    writeFileSync(join(folder, "prometheus.yaml"), config + lost);
    await rememberLostClient(tools, folder, data);

    running.push(
      startProcess(
        tools.alertmanager,
        [
          `--config.file=${join(folder, "alertmanager.yaml")}`,
          `--storage.path=${join(folder, "alertmanager")}`,
          `--web.listen-address=${alertmanager}`,
          "--cluster.listen-address=",
        ],
        { logFile: logFile("alertmanager"), cwd: folder },
      ),
      startProcess(
        tools.prometheus,
        [
          `--config.file=${join(folder, "prometheus.yaml")}`,
          `--storage.tsdb.path=${data}`,
          `--web.listen-address=${prometheus}`,
          `--web.console.libraries=${folder}`,
          `--web.console.templates=${folder}`,
        ],
        { logFile: logFile("prometheus"), cwd: folder },
      ),
    );
    const areUp = async (): Promise<boolean> =>
      (await answers(`http://${prometheus}/-/ready`)) && (await answers(`http://${alertmanager}/-/ready`));
    await waitUntil(areUp, {
      processes: running,
      timeoutSeconds: 60,
      failure: "Prometheus and Alertmanager did not come up",
    });
    return { prometheus: new PrometheusApi(`http://${prometheus}`), webhook, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A shipped file with some texts replaced. @throws `Error` when one isn't in it: the file says something else now. */
function replaced(name: string, texts: Readonly<Record<string, string>>): string {
  let file = readFileSync(observabilityFile(name), "utf8");
  for (const [from, to] of Object.entries(texts)) {
    if (!file.includes(from)) throw new Error(`${name} no longer says ${from}`);
    file = file.replaceAll(from, to);
  }
  return file;
}

/** Writes history into Prometheus's storage: a client that was there from 70 to 55 minutes ago. */
async function rememberLostClient(tools: Tools, folder: string, data: string): Promise<void> {
  const now = Math.floor(Date.now() / 1000);
  const lines = ["# TYPE s3_bucket_key_client_count gauge"];
  for (let ago = 70 * 60; ago >= 55 * 60; ago -= 15) {
    lines.push(
      `s3_bucket_key_client_count{job="${LOST_JOB}",s3_bucket_key_mode="enforce",s3_bucket_key_mode_source="policy"} 1 ${now - ago}`,
    );
  }
  const file = join(folder, "history.txt");
  writeFileSync(file, `${lines.join("\n")}\n# EOF\n`);
  await runTool(
    tools.promtool,
    ["tsdb", "create-blocks-from", "openmetrics", file, data],
    "The history could not be written",
  );
}
