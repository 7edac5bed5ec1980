/** What a running Prometheus is asked. */

/** One series of an answer, and its value. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  /** Seconds since 1970, and the number. */
  readonly value: readonly [number, string];
}

/** One series over time. */
export interface RangeSeries {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [number, string])[];
}

/** A rule and what its last evaluation came to. */
export interface Rule {
  readonly type: "recording" | "alerting";
  readonly name: string;
  readonly query: string;
  readonly health: string;
  readonly lastError?: string;
  /** Of an alert: `inactive`, `pending` or `firing`. */
  readonly state?: string;
}

export class PrometheusApi {
  readonly url: string;

  /** @param url - `http://127.0.0.1:PORT`. */
  constructor(url: string) {
    this.url = url;
  }

  /** Evaluates it now. @throws `Error` with Prometheus's words. */
  async query(expression: string): Promise<readonly Series[]> {
    const { result } = await this.#get<{ result: readonly Series[] }>("query", { query: expression });
    return result;
  }

  /** Evaluates it at every step, as Grafana does. Times in seconds since 1970. */
  async range(
    expression: string,
    { from, to, step }: Readonly<{ from: number; to: number; step: number }>,
  ): Promise<readonly RangeSeries[]> {
    const asked = { query: expression, start: `${from}`, end: `${to}`, step: `${step}` };
    const { result } = await this.#get<{ result: readonly RangeSeries[] }>("query_range", asked);
    return result;
  }

  async rules(): Promise<readonly Rule[]> {
    const { groups } = await this.#get<{ groups: readonly { rules: readonly Rule[] }[] }>("rules", {});
    return groups.flatMap(({ rules }) => rules);
  }

  /** Health of each target, by job and address. */
  async targets(): Promise<
    readonly { readonly job: string; readonly health: string; readonly error: string }[]
  > {
    const { activeTargets } = await this.#get<{
      activeTargets: readonly {
        readonly scrapePool: string;
        readonly health: string;
        readonly lastError: string;
      }[];
    }>("targets", {});
    return activeTargets.map(({ scrapePool, health, lastError }) => ({
      job: scrapePool,
      health,
      error: lastError,
    }));
  }

  async #get<T>(path: string, asked: Readonly<Record<string, string>>): Promise<T> {
    const body = new URLSearchParams(asked);
    const isPost = path.startsWith("query");
    const response = await fetch(`${this.url}/api/v1/${path}`, {
      ...(isPost && { method: "POST", body }),
      signal: AbortSignal.timeout(20_000),
    });
    const answer = (await response.json()) as { status: string; data: T; error?: string };
    if (answer.status !== "success") throw new Error(`${answer.error}: ${asked["query"] ?? path}`);
    return answer.data;
  }
}

/** Numbers that can be drawn. */
export function finite(series: readonly Series[]): readonly number[] {
  return series.map(({ value }) => Number(value[1])).filter(Number.isFinite);
}
