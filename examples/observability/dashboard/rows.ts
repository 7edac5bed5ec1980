/**
 * What the dashboard asks, row by row.
 *
 * Metrics whose name differs between exporters, and everything that alerts, are asked by the names that
 * `prometheus-rules.yaml` records; the rest by their own name, at the rate interval chosen on top.
 */
import { type PanelSource, stat, table, timeSeries } from "./panels.ts";

export interface DashboardRow {
  readonly title: string;
  readonly isCollapsed?: true;
  readonly panels: readonly PanelSource[];
}

const WRITES = 'rpc_method=~"PutObject|CopyObject|CreateMultipartUpload"';
const WITH_KEY = 's3_bucket_key_sse_algorithm="aws:kms", s3_bucket_key_state="enabled"';
const WITHOUT_KEY = 's3_bucket_key_sse_algorithm="aws:kms", s3_bucket_key_state="disabled"';

/** Series of the jobs and instances that are chosen on top. */
function chosen(name: string, labels = ""): string {
  return `${name}{job=~"$job", instance=~"$instance"${labels && `, ${labels}`}}`;
}

/** Things a second. */
function rate(name: string, labels = ""): string {
  return `rate(${chosen(name, labels)}[$rate_interval])`;
}

/** How many in the time range that is shown; sees a counter too that was born with the event. 0 where none. */
function seen(name: string, labels = ""): string {
  const series = chosen(name, labels);
  return `sum(increase(${series}[$__range]) > 0 or (${series} > 0 unless ${series} offset $__range)) or vector(0)`;
}

/** A share of a whole, 0 where there is a whole and no share. */
function share(by: string, part: string, whole: string): string {
  const all = `sum by (${by}) (${whole})`;
  return `(sum by (${by}) (${part}) or 0 * ${all}) / ${all}`;
}

function quantile(q: number, by: string, buckets: string): string {
  return `histogram_quantile(${q}, sum by (${by}, le) (${buckets}))`;
}

const GOOD_FROM_95 = [
  { color: "red" },
  { color: "orange", value: 0.8 },
  { color: "green", value: 0.95 },
] as const;
const BAD_FROM_ONE = [{ color: "green" }, { color: "red", value: 0.5 }] as const;
const NEUTRAL = [{ color: "blue" }] as const;
const EVENTS = { unit: "short", span: 3, decimals: 0, colours: BAD_FROM_ONE } as const;

const glance: DashboardRow = {
  title: "At a glance",
  panels: [
    stat({
      title: "With a bucket key",
      description:
        "Share of SSE-KMS writes in the last hour that S3 answered with a bucket key. Writes that the policy wants without one don't count. Below target: the tables of the next row name who.",
      unit: "percentunit",
      span: 3,
      decimals: 1,
      expression: share(
        "",
        chosen("s3_bucket_key:kms_writes:rate1h", 's3_bucket_key_state="enabled"'),
        chosen("s3_bucket_key:kms_writes:rate1h"),
      ),
      colours: GOOD_FROM_95,
    }),
    stat({
      ...EVENTS,
      title: "Drifts",
      span: 2,
      description:
        "Answers of S3 that differ from what the policy enforced. Any is worth a look: the plugin's log line names bucket and rule.",
      expression: seen("s3_bucket_key_drifts_total"),
    }),
    stat({
      ...EVENTS,
      title: "Refused",
      span: 2,
      description:
        "Requests that were refused and never sent. The error names the rule, its reason and the ways out.",
      expression: seen(
        "s3_bucket_key_requests_total",
        's3_bucket_key_decision="refuse", s3_bucket_key_mode="enforce"',
      ),
    }),
    stat({
      ...EVENTS,
      title: "Denied after amend",
      description:
        "Requests that S3 or KMS denied after the plugin changed them: mostly key policies that know the object's ARN only.",
      expression: seen("s3_bucket_key_errors_total", 's3_bucket_key_phase="amended"'),
    }),
    stat({
      ...EVENTS,
      title: "Other errors",
      description: "Failures that the plugin caused or saw, without those denied after amend.",
      expression: seen("s3_bucket_key_errors_total", 's3_bucket_key_phase!="amended"'),
    }),
    stat({
      title: "Clients",
      description: "Clients that wear the plugin now. 0: the plugin was lost, or nothing is scraped.",
      unit: "short",
      span: 2,
      decimals: 0,
      expression: `sum(${chosen("s3_bucket_key_client_count")}) or vector(0)`,
      colours: [{ color: "red" }, { color: "green", value: 1 }],
    }),
    stat({
      title: "KMS requests avoided (estimated)",
      description:
        "A model, not a measurement: KMS requests that S3 did not make because of bucket keys, in the time range shown. The truth is in CloudTrail and on the bill.",
      unit: "short",
      span: 5,
      expression: `sum(increase(${chosen("s3_bucket_key_estimate_kms_avoided_requests_total")}[$__range]))`,
      colours: NEUTRAL,
    }),
    stat({
      title: "Cost avoided (estimated)",
      description:
        "The model's KMS requests in the time range shown, at the price in the rule s3_bucket_key:kms_price:usd_per_request.",
      unit: "currencyUSD",
      span: 4,
      expression: `sum(increase(${chosen("s3_bucket_key_estimate_kms_avoided_requests_total")}[$__range])) * on () group_left () s3_bucket_key:kms_price:usd_per_request`,
      colours: NEUTRAL,
    }),
  ],
};

const coverage: DashboardRow = {
  title: "Coverage: who writes with bucket keys, who still without",
  panels: [
    timeSeries({
      title: "Coverage by operation",
      description:
        "Share of SSE-KMS answers with a bucket key. Reads show objects as they were once written; writes show what happens now.",
      unit: "percentunit",
      max: 1,
      span: 12,
      queries: [
        [
          share(
            "rpc_method",
            rate("s3_bucket_key_responses_total", WITH_KEY),
            rate("s3_bucket_key_responses_total", 's3_bucket_key_sse_algorithm="aws:kms"'),
          ),
          "{{rpc_method}}",
        ],
      ],
    }),
    timeSeries({
      title: "Coverage by rule",
      description:
        "Share of answers with a bucket key, of those that have or could have one, under the rule they were held against. A rule that says bucketKey: off stays at 0 on purpose.",
      unit: "percentunit",
      max: 1,
      span: 12,
      queries: [
        [
          share(
            "s3_bucket_key_rule_id",
            rate("s3_bucket_key_rule_responses_total", 's3_bucket_key_state="enabled"'),
            rate("s3_bucket_key_rule_responses_total", 's3_bucket_key_state=~"enabled|disabled"'),
          ),
          "{{s3_bucket_key_rule_id}}",
        ],
      ],
    }),
    table({
      title: "Who still writes without a bucket key",
      description:
        "SSE-KMS writes without a bucket key in the time range shown. Verdict honoured or compliant: the policy wants it so. Buckets are named only with otel({ bucketAttribute }); without it, the table of rules says where to look.",
      unit: "short",
      span: 10,
      expression: `topk(20, sum by (job, aws_s3_bucket, rpc_method, s3_bucket_key_verdict) (label_replace(increase(${chosen("s3_bucket_key_responses_total", `${WRITES}, ${WITHOUT_KEY}`)}[$__range]), "aws_s3_bucket", "(bucketAttribute is off)", "aws_s3_bucket", "")) > 0)`,
      columns: {
        job: "Job",
        aws_s3_bucket: "Bucket",
        rpc_method: "Operation",
        s3_bucket_key_verdict: "Verdict",
        Value: "Writes",
      },
    }),
    table({
      title: "Rules whose answers lack a bucket key",
      description:
        "Reads and writes under each rule that S3 answered without a bucket key, in the time range shown. defaults: no rule matched.",
      unit: "short",
      span: 8,
      expression: `topk(20, sum by (job, s3_bucket_key_rule_id) (increase(${chosen("s3_bucket_key_rule_responses_total", 's3_bucket_key_state="disabled"')}[$__range])) > 0)`,
      columns: { job: "Job", s3_bucket_key_rule_id: "Rule", Value: "Answers" },
    }),
    timeSeries({
      title: "Writes by algorithm",
      description: "What S3 says it stored new objects with. Only aws:kms can have a bucket key.",
      unit: "ops",
      span: 6,
      stacked: true,
      queries: [
        [
          `sum by (s3_bucket_key_sse_algorithm) (${rate("s3_bucket_key_responses_total", WRITES)})`,
          "{{s3_bucket_key_sse_algorithm}}",
        ],
      ],
    }),
  ],
};

const decisions: DashboardRow = {
  title: "Decisions: what the policy does, or under audit would do",
  panels: [
    timeSeries({
      title: "Decisions",
      description:
        "Write requests by what the policy decided. Before you enforce, look at refuse under mode audit: those requests will fail.",
      unit: "reqps",
      span: 8,
      stacked: true,
      queries: [
        [
          `sum by (s3_bucket_key_decision) (${rate("s3_bucket_key_requests_total", 's3_bucket_key_mode="enforce"')})`,
          "{{s3_bucket_key_decision}}",
        ],
        [
          `sum by (s3_bucket_key_decision, s3_bucket_key_mode) (${rate("s3_bucket_key_requests_total", 's3_bucket_key_mode!="enforce"')})`,
          "{{s3_bucket_key_decision}} ({{s3_bucket_key_mode}})",
        ],
      ],
    }),
    timeSeries({
      title: "Why",
      description:
        "The reason of each decision. Many unenforced: requests name no encryption and the rule doesn't either; give the rule a kmsKey.",
      unit: "reqps",
      span: 8,
      queries: [
        [`sum by (s3_bucket_key_why) (${rate("s3_bucket_key_requests_total")})`, "{{s3_bucket_key_why}}"],
      ],
    }),
    timeSeries({
      title: "Verdicts",
      description:
        "Answers held against the policy. noncompliant reads are mostly objects from before the policy; noncompliant writes under audit are what enforcing will change.",
      unit: "reqps",
      span: 8,
      stacked: true,
      queries: [
        [
          `sum by (s3_bucket_key_verdict) (${rate("s3_bucket_key_responses_total")})`,
          "{{s3_bucket_key_verdict}}",
        ],
      ],
    }),
    timeSeries({
      title: "Notes",
      description:
        "Things to know that change nothing: unknown-key: list the alias under kmsKeys. expired-rule: renew or remove it. own-context: a bucket key for each distinct context saves little.",
      unit: "reqps",
      span: 24,
      queries: [
        [`sum by (s3_bucket_key_note) (${rate("s3_bucket_key_notes_total")})`, "{{s3_bucket_key_note}}"],
      ],
    }),
  ],
};

const troubles: DashboardRow = {
  title: "What goes wrong: new in the last 15 minutes, as the alerts count it",
  panels: [
    timeSeries({
      title: "Drifts",
      description:
        "Answers that differ from what was enforced. Look for another middleware, a proxy, or an endpoint that isn't AWS's.",
      unit: "short",
      span: 6,
      bars: true,
      queries: [
        [
          `sum by (rpc_method, s3_bucket_key_drift_kind) (${chosen("s3_bucket_key:drifts:increase15m")})`,
          "{{rpc_method}}: {{s3_bucket_key_drift_kind}}",
        ],
      ],
    }),
    timeSeries({
      title: "Refusals",
      description: "Refused requests, by operation and reason. Under mode audit they were sent all the same.",
      unit: "short",
      span: 6,
      bars: true,
      queries: [
        [
          `sum by (rpc_method, s3_bucket_key_why, s3_bucket_key_mode) (${chosen("s3_bucket_key:refusals:increase15m")})`,
          "{{rpc_method}}: {{s3_bucket_key_why}} ({{s3_bucket_key_mode}})",
        ],
      ],
    }),
    timeSeries({
      title: "Denied after amend",
      description:
        "Check that the principal may use the KMS key with the bucket's ARN as encryption context.",
      unit: "short",
      span: 6,
      bars: true,
      queries: [
        [
          `sum by (error_type) (${chosen("s3_bucket_key:errors:increase15m", 's3_bucket_key_phase="amended"')})`,
          "{{error_type}}",
        ],
      ],
    }),
    timeSeries({
      title: "Other errors",
      description:
        "By phase: response: KMS failed on a request that we didn't change; kms: no data key; crypto: a body could not be sealed or opened; telemetry: exporting failed.",
      unit: "short",
      span: 6,
      bars: true,
      queries: [
        [
          `sum by (s3_bucket_key_phase, error_type) (${chosen("s3_bucket_key:errors:increase15m", 's3_bucket_key_phase!="amended"')})`,
          "{{s3_bucket_key_phase}}: {{error_type}}",
        ],
      ],
    }),
  ],
};

const AVOIDED_COST = chosen("s3_bucket_key_estimate_kms_avoided_cost_total");
const savings: DashboardRow = {
  title: "KMS requests avoided: an estimate, see docs/telemetry.md",
  panels: [
    timeSeries({
      title: "KMS requests avoided (estimated)",
      description:
        "A model: every answer with a bucket key is one avoided request, except one per bucket, KMS key, KMS operation and minute. Watch the trend; take the truth from CloudTrail.",
      unit: "reqps",
      span: 12,
      stacked: true,
      queries: [
        [
          `sum by (s3_bucket_key_kms_operation) (${rate("s3_bucket_key_estimate_kms_avoided_requests_total")})`,
          "{{s3_bucket_key_kms_operation}}",
        ],
      ],
    }),
    timeSeries({
      title: "Cost avoided per 30 days, at this pace (estimated)",
      description:
        "The model times a price: that of the rule s3_bucket_key:kms_price:usd_per_request and, where the option avoidedCost is set, the program's own.",
      unit: "currencyUSD",
      span: 12,
      queries: [
        [`sum(${chosen("s3_bucket_key:estimate_avoided_usd:rate5m")}) * 86400 * 30`, "at the rule's price"],
        [`sum(rate(${AVOIDED_COST}[$rate_interval])) * 86400 * 30`, "at the option's price"],
      ],
    }),
  ],
};

const fleet: DashboardRow = {
  title: "Clients and policies",
  panels: [
    timeSeries({
      title: "Clients by mode",
      description:
        "The strongest mode any of their requests can meet, and what set it. environment: the incident switch S3_BUCKET_KEYS_MODE is on.",
      unit: "short",
      decimals: 0,
      span: 8,
      stacked: true,
      queries: [
        [
          `sum by (s3_bucket_key_mode, s3_bucket_key_mode_source) (${chosen("s3_bucket_key_client_count")})`,
          "{{s3_bucket_key_mode}} (by {{s3_bucket_key_mode_source}})",
        ],
      ],
    }),
    table({
      title: "Policies in force",
      description:
        "Two digests in one job at once: a roll-out is under way, or stuck. npx s3-bucket-keys check FILE prints a file's digest.",
      unit: "short",
      span: 8,
      expression: `sum by (job, s3_bucket_key_policy_digest, s3_bucket_key_mode) (${chosen("s3_bucket_key_client_count")}) > 0`,
      columns: {
        job: "Job",
        s3_bucket_key_policy_digest: "Policy digest",
        s3_bucket_key_mode: "Mode",
        Value: "Clients",
      },
    }),
    timeSeries({
      title: "Policy reloads",
      description:
        "rejected: the last good policy stays in force; the log names every mistake, and so does npx s3-bucket-keys check FILE.",
      unit: "short",
      decimals: 0,
      span: 8,
      bars: true,
      queries: [
        [
          `sum by (s3_bucket_key_reload_result) (increase(${chosen("s3_bucket_key_policy_reloads_total")}[$rate_interval]))`,
          "{{s3_bucket_key_reload_result}}",
        ],
      ],
    }),
  ],
};

const RETIRED = "s3_bucket_key_envelope_data_key_retire_reason";
const clientSide: DashboardRow = {
  title: "Client-side encryption (envelope)",
  isCollapsed: true,
  panels: [
    timeSeries({
      title: "Cache hit ratio",
      description:
        "Look-ups of bucket keys that found one in the last hour; every other one is a KMS request. Low: the encryption context holds something of each object, processes live briefly, or maxAgeSeconds is short.",
      unit: "percentunit",
      max: 1,
      span: 8,
      queries: [
        [
          share(
            "job",
            chosen("s3_bucket_key:envelope_lookups:rate1h", 's3_bucket_key_envelope_cache_result="hit"'),
            chosen("s3_bucket_key:envelope_lookups:rate1h"),
          ),
          "{{job}}",
        ],
      ],
    }),
    timeSeries({
      title: "Look-ups",
      description:
        "miss: not there; expired: past its age, uses or bytes; bypass: caching is forbidden, as for objects without key commitment.",
      unit: "reqps",
      span: 8,
      stacked: true,
      queries: [
        [
          `sum by (s3_bucket_key_envelope_cache_result) (${rate("s3_bucket_key_envelope_cache_requests_total")})`,
          "{{s3_bucket_key_envelope_cache_result}}",
        ],
      ],
    }),
    timeSeries({
      title: "Cached keys",
      description:
        "Bucket keys held now. Flat at a ceiling with lru among the retired: raise maxCachedBytes. Growth with the number of objects: the encryption context holds something of each.",
      unit: "short",
      decimals: 0,
      span: 8,
      queries: [[`sum by (job) (${chosen("s3_bucket_key_envelope_cache_entry_count")})`, "{{job}}"]],
    }),
    timeSeries({
      title: "KMS requests",
      description: "Requests for data keys; with an error type, those that failed after the SDK's retries.",
      unit: "reqps",
      span: 8,
      queries: [
        [
          `sum by (rpc_method, error_type) (${chosen("s3_bucket_key:kms_requests:rate5m")})`,
          "{{rpc_method}} {{error_type}}",
        ],
      ],
    }),
    timeSeries({
      title: "KMS latency",
      description:
        "Of requests that succeeded. Reads and writes whose bucket key isn't cached wait that long.",
      unit: "s",
      span: 8,
      queries: [0.5, 0.99].map((q) => [
        quantile(q, "rpc_method", chosen("s3_bucket_key:kms_request_duration_bucket:rate5m")),
        `{{rpc_method}} p${q * 100}`,
      ]),
    }),
    timeSeries({
      title: "Sealed and opened",
      description:
        "Plaintext. A seal rate of 0 while the program writes: its places no longer say envelope: seal.",
      unit: "Bps",
      span: 8,
      queries: [
        [
          `sum by (s3_bucket_key_envelope_io_direction) (${chosen("s3_bucket_key:envelope_io_bytes:rate5m")})`,
          "{{s3_bucket_key_envelope_io_direction}}",
        ],
      ],
    }),
    timeSeries({
      title: "Key age at retirement (median)",
      description:
        "By reason. stale: kept past its age because KMS could not be reached. Ages far under maxAgeSeconds with lru: the cache is too small.",
      unit: "s",
      span: 12,
      queries: [
        [quantile(0.5, RETIRED, chosen("s3_bucket_key:data_key_age_bucket:rate1h")), `{{${RETIRED}}}`],
      ],
    }),
    timeSeries({
      title: "Key uses at retirement (median)",
      description:
        "How many bodies one bucket key served. Mostly 1: nothing is saved; see what tells the keys apart.",
      unit: "short",
      span: 12,
      queries: [
        [quantile(0.5, RETIRED, chosen("s3_bucket_key:data_key_uses_bucket:rate1h")), `{{${RETIRED}}}`],
      ],
    }),
  ],
};

export const ROWS: readonly DashboardRow[] = [
  glance,
  coverage,
  decisions,
  troubles,
  savings,
  fleet,
  clientSide,
];
