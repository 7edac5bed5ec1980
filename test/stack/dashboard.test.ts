/** The example as a new user runs it, and its dashboard as a person sees it: drawn, in both themes. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { committedDashboard, panelsOf } from "../observability/dashboard-queries.ts";
import { freePorts } from "../peers/ports.ts";
import { type RunningProcess, startProcess } from "../peers/process.ts";
import { drawDashboard, type Drawing } from "./draw.ts";
import { driftNotice } from "./drift-alert.ts";
import { logFile, ROOT, say } from "./files.ts";
import { dashboardData, type DashboardData } from "./panel-data.ts";
import { type Stack, startStack } from "./stack.ts";
import { installedTools } from "./tools.ts";

/** How long the example runs before it is looked at. */
const SECONDS = 90;
const WIDTH = 1600;

describe("the example's dashboard", () => {
  let stack: Stack | undefined;
  let app: RunningProcess | undefined;
  let data: DashboardData | undefined;
  let drawings: readonly Drawing[] = [];

  beforeAll(async () => {
    const port = await freePorts(2);
    stack = await startStack(await installedTools(), {
      app: `127.0.0.1:${port}`,
      collector: `127.0.0.1:${port + 1}`,
    });
    const tsx = `${ROOT}/node_modules/tsx/dist/cli.mjs`;
    const example = `${ROOT}/examples/observability/app.ts`;
    app = startProcess(process.execPath, [tsx, example, "--port", `${port}`, "--trouble"], {
      logFile: logFile("app"),
      cwd: ROOT,
    });
    const started = Date.now();
    await driftNotice(stack.webhook, { job: "app", drifted: () => firstDrift(`http://127.0.0.1:${port}`) });
    await sleep(Math.max(0, started + SECONDS * 1000 - Date.now()));
    data = await dashboardData(stack.prometheus, { seconds: SECONDS, width: WIDTH });
    drawings = await drawDashboard(data);
    for (const { theme, screenshots } of drawings)
      say(`${theme}: ${screenshots.length} screenshots in temp/stack/`);
  });
  afterAll(async () => {
    await app?.stop();
    await stack?.stop();
  });

  it("is drawn whole, in light and dark, without a complaint", () => {
    const titles = panelsOf(committedDashboard()).map(({ title }) => title);
    expect(drawings.map(({ theme }) => theme)).toEqual(["light", "dark"]);
    for (const { panels, errors } of drawings) {
      expect(errors).toEqual([]);
      expect(panels.map(({ title }) => title)).toEqual(titles);
    }
  });

  it("has numbers for every panel", () => {
    const empty = (data?.rows ?? [])
      .flatMap(({ panels }) => panels)
      .filter(({ series, rows }) => {
        const numbers = series.flatMap(({ points }) => points.map(([, number]) => number));
        numbers.push(...rows.map(({ Value }) => Number(Value)));
        return !numbers.some(Number.isFinite);
      });
    expect(empty.map(({ title }) => title)).toEqual([]);
  });

  it("shows something in every panel", () => {
    const empty = drawings.flatMap(({ theme, panels }) =>
      panels
        .filter(({ title, text, isDrawn }) => isDrawn === false || text.trim() === title)
        .map(({ title }) => `${title} (${theme})`),
    );
    expect(empty).toEqual([]);
  });
});

/** When the example's own page shows its drift, in milliseconds since 1970. */
async function firstDrift(url: string): Promise<number> {
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline) {
    const page = await fetch(`${url}/metrics`).then(
      (response) => response.text(),
      () => "",
    );
    if (/^s3_bucket_key_drifts_total\{.*\} [1-9]/m.test(page)) return Date.now();
    await sleep(100);
  }
  throw new Error("The example did not drift within a minute");
}
