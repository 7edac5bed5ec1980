/** What Prometheus must know when a workload has had all its troubles: every query of the dashboard, every rule. */
import {
  committedDashboard,
  EVERYTHING,
  panelQueries,
  substituted,
} from "../observability/dashboard-queries.ts";
import { finite, type PrometheusApi, type Rule } from "./prometheus.ts";
import { LOST_JOB } from "./stack.ts";

/** Says that no client is anywhere, which is over when the others are asked. */
const BEFORE_ALL = "S3BucketKeyPluginMissing";

/** Of which jobs it has to be true, as a regular expression. */
export interface Asked {
  readonly jobs: string;
}

/**
 * Asks again and again until nothing is missing, or the time is over.
 *
 * @param missing - What is missing now, in words.
 * @returns What is missing still.
 */
export async function untilNothing(
  missing: () => Promise<readonly string[]>,
  timeoutMs: number,
): Promise<readonly string[]> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const left = await missing();
    if (left.length === 0 || Date.now() > deadline) return left;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

/** Panel queries, and the annotation's, that give no number above 0. */
export async function silentPanels(prometheus: PrometheusApi, { jobs }: Asked): Promise<readonly string[]> {
  const dashboard = committedDashboard();
  const values = { ...EVERYTHING, job: jobs };
  const silent: string[] = [];
  for (const { name, expression } of panelQueries(dashboard)) {
    const asked = substituted(expression, values);
    const numbers = finite(await prometheus.query(asked));
    if (!numbers.some((number) => number > 0)) silent.push(`${name}: [${numbers.join(", ")}] for ${asked}`);
  }
  for (const { expr } of dashboard.annotations.list) {
    if (expr === undefined) continue;
    if ((await prometheus.query(substituted(expr, values))).length === 0) silent.push(`annotation: ${expr}`);
  }
  return silent;
}

/** Rules that are unwell, that recorded nothing, or that say there is nothing to alert on. */
export async function silentRules(prometheus: PrometheusApi, { jobs }: Asked): Promise<readonly string[]> {
  const silent: string[] = [];
  for (const rule of await prometheus.rules()) {
    if (rule.health !== "ok") silent.push(`${rule.name}: ${rule.health} ${rule.lastError ?? ""}`);
    else if (rule.name !== BEFORE_ALL && !(await says(prometheus, rule, jobs))) {
      silent.push(`${rule.name} is silent`);
    }
  }
  return silent;
}

async function says(prometheus: PrometheusApi, { type, name }: Rule, jobs: string): Promise<boolean> {
  if (type === "recording") {
    // A target or a price stands for all jobs.
    const series = await prometheus.query(`${name}{job=~"${jobs}|"}`);
    return finite(series).length > 0;
  }
  const job = name === "S3BucketKeyPluginLost" ? LOST_JOB : jobs;
  return (await prometheus.query(`ALERTS{alertname="${name}", job=~"${job}"}`)).length > 0;
}

/** How many there are to hear. */
export async function counted(prometheus: PrometheusApi): Promise<string> {
  const rules = await prometheus.rules();
  const recording = rules.filter(({ type }) => type === "recording").length;
  const panels = panelQueries(committedDashboard()).length;
  return `${panels} panel queries, ${recording} recorded series, ${rules.length - recording} alerts`;
}
