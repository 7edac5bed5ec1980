import { describe, expect, it } from "vitest";
import { readCounts, type Increment } from "../../src/report/read.ts";
import { lines, snapshot } from "./snapshots.ts";

const SINCE = "2026-11-24T08:00:00.000Z";
const RESOURCE = { attributes: [{ key: "service.instance.id", value: { stringValue: "a" } }] };

function put(count: number): object {
  return {
    responses: [{ operation: "PutObject", state: "enabled", sse: "aws:kms", verdict: "honoured", count }],
  };
}

function counted(increments: readonly Increment[], what: Increment["what"]): number[] {
  return increments.filter((one) => one.what === what).map(({ count }) => count);
}

/** One export of one metric, as a Collector's file exporter writes it. */
function exported(name: string, data: object): object {
  return {
    resourceMetrics: [
      {
        resource: RESOURCE,
        scopeMetrics: [{ scope: { name: "s3-bucket-keys" }, metrics: [{ name, ...data }] }],
      },
    ],
  };
}

function point(seconds: number, value: object, attributes: Readonly<Record<string, string>> = {}): object {
  return {
    attributes: Object.entries(attributes).map(([key, stringValue]) => ({ key, value: { stringValue } })),
    startTimeUnixNano: "1795507200000000000",
    timeUnixNano: `${1_795_507_200 + seconds}000000000`,
    ...value,
  };
}

describe("snapshots of stats()", () => {
  it("become what was counted between them; the first brings all since the start", () => {
    const text = lines([
      snapshot("2026-11-24T09:00:00Z", put(10)),
      snapshot("2026-11-24T10:00:00Z", put(25)),
      snapshot("2026-11-24T11:00:00Z", put(25)),
    ]);
    const reading = readCounts(text);
    expect(reading).toMatchObject({
      fromMs: Date.parse("2026-11-24T09:00:00Z"),
      toMs: Date.parse("2026-11-24T11:00:00Z"),
      lines: 3,
      sources: 1,
      problems: [],
      wears: [{ mode: "enforce", policyDigest: "0123456789abcdef" }],
    });
    expect(reading.increments).toEqual([
      {
        what: "responses",
        attributes: {
          "rpc.method": "PutObject",
          "s3_bucket_key.state": "enabled",
          "s3_bucket_key.sse.algorithm": "aws:kms",
          "s3_bucket_key.verdict": "honoured",
        },
        count: 10,
        atMs: Date.parse("2026-11-24T09:00:00Z"),
      },
      expect.objectContaining({ count: 15, atMs: Date.parse("2026-11-24T10:00:00Z") }),
    ]);
    expect(reading).not.toHaveProperty("cacheEntries");
  });

  it("may come in any order, from many processes, with a restart", () => {
    const { increments, sources } = readCounts(
      lines([
        snapshot("2026-11-24T10:00:00Z", put(25)),
        snapshot("2026-11-24T09:00:00Z", put(10)),
        snapshot("2026-11-24T10:00:00Z", { instance: "b", ...put(100) }),
        snapshot("2026-11-24T11:00:00Z", { since: "2026-11-24T10:30:00.000Z", ...put(3) }),
      ]),
    );
    expect(counted(increments, "responses")).toEqual([10, 15, 100, 3]);
    expect(sources).toBe(3);
  });

  it("of two processes that can't be told apart are left out, and told how to", () => {
    const reading = readCounts(
      lines([snapshot("2026-11-24T09:00:00Z", put(10)), snapshot("2026-11-24T09:00:01Z", put(4))]),
    );
    expect(counted(reading.increments, "responses")).toEqual([10]);
    expect(reading.problems).toEqual([
      { line: 2, message: expect.stringContaining("give each process an `instance`") },
    ]);
  });

  it("bring client-side encryption with them", () => {
    const envelope = {
      kmsRequests: [
        { operation: "Decrypt", count: 2, seconds: 0.5 },
        { operation: "Decrypt", errorType: "TimeoutError", count: 1, seconds: 10 },
      ],
      cacheRequests: [{ result: "hit", count: 9 }],
      cacheEntries: 4,
      retiredDataKeys: [{ reason: "ttl", count: 1 }],
      sealedBytes: 100,
      openedBytes: 0,
      plainReads: 7,
    };
    const { increments, cacheEntries } = readCounts(
      lines([
        snapshot("2026-11-24T09:00:00Z", { envelope: { ...envelope, cacheEntries: 9 } }),
        snapshot("2026-11-24T10:00:00Z", { envelope }),
        snapshot("2026-11-24T10:00:00Z", { instance: "b", envelope }),
      ]),
    );
    expect(cacheEntries).toBe(8);
    expect(counted(increments, "kmsRequestDuration")).toEqual([2, 1, 2, 1]);
    expect(counted(increments, "kmsSeconds")).toEqual([0.5, 10, 0.5, 10]);
    expect(counted(increments, "dataKeyAge")).toEqual([1, 1]);
    expect(counted(increments, "plainReads")).toEqual([7, 7]);
    expect(counted(increments, "envelopeIo")).toEqual([100, 100]);
  });
});

describe("lines that can't be used", () => {
  const good = snapshot("2026-11-24T09:00:00Z", put(1));
  const envelope = {
    kmsRequests: [],
    cacheRequests: [],
    cacheEntries: 0,
    retiredDataKeys: [],
    sealedBytes: 0,
    openedBytes: 0,
    plainReads: 0,
  };
  it.each([
    ["half a line", JSON.stringify(good).slice(0, 50), "is no JSON"],
    ["a list", "[]", "is no JSON object"],
    ["a word", '"stats"', "is no JSON object"],
    ["no time", { ...good, time: undefined }, "`time` is no ISO 8601 time"],
    ["a time that is none", { ...good, time: "noon" }, "`time` is no ISO 8601 time"],
    ["no since", { ...good, since: 5 }, "`since` is missing"],
    ["no mode", { ...good, mode: undefined }, "`policyDigest` or `mode` is missing"],
    ["an instance that is no text", { ...good, instance: 5 }, "`instance` is no text"],
    ["no list", { ...good, drifts: {} }, "`drifts` is no list"],
    ["a row of nothing", { ...good, notes: [null] }, "`notes` has a row without note, count"],
    [
      "a word missing",
      { ...good, rules: [{ rule: "a", count: 1 }] },
      "`rules` has a row without rule, state, count",
    ],
    ["a negative count", { ...good, ...put(-1) }, "`responses` has a row without"],
    [
      "a count beyond numbers",
      JSON.stringify({ ...good, ...put(7) }).replace(":7}", ":1e999}"),
      "`responses` has a row",
    ],
    [
      "no estimate",
      { ...good, estimatedKmsRequestsAvoided: {} },
      "`estimatedKmsRequestsAvoided.GenerateDataKey` is no count",
    ],
    ["no reloads", { ...good, policyReloads: null }, "`policyReloads.accepted` is no count"],
    ["an envelope of text", { ...good, envelope: "x" }, "`envelope` is no object"],
    ["an envelope without lists", { ...good, envelope: {} }, "`envelope.kmsRequests` is no list"],
    [
      "an envelope without counts",
      { ...good, envelope: { ...envelope, plainReads: "7" } },
      "`envelope.plainReads` is no count",
    ],
    [
      "KMS without seconds",
      { ...good, envelope: { ...envelope, kmsRequests: [{ operation: "Decrypt", count: 1 }] } },
      "without `seconds`",
    ],
    ["a metric of no kind", exported("s3_bucket_key.drifts", {}), "is neither sum, gauge nor histogram"],
    [
      "a point without time",
      exported("s3_bucket_key.drifts", { sum: { dataPoints: [{ asInt: "1" }] } }),
      "a point without a time or a number",
    ],
    [
      "a point without number",
      exported("s3_bucket_key.drifts", { sum: { dataPoints: [point(0, {})] } }),
      "a point without a time or a number",
    ],
  ])("are left out with their number and a reason: %s", (_says, bad, message) => {
    const text = typeof bad === "string" ? bad : JSON.stringify(bad);
    const { lines: used, problems, increments } = readCounts(`${JSON.stringify(good)}\n\n${text}\r\n`);
    expect(used).toBe(1);
    expect(counted(increments, "responses")).toEqual([1]);
    expect(problems).toEqual([{ line: 3, message: expect.stringContaining(message) }]);
  });

  it("aren't empty ones, or a mark of byte order", () => {
    expect(readCounts(`\uFEFF${JSON.stringify(good)}\r\n\n  \n`)).toMatchObject({ lines: 1, problems: [] });
    expect(readCounts("")).toMatchObject({ lines: 0, problems: [], increments: [] });
  });
});

describe("exports in OTLP's encoding", () => {
  const drift = { "rpc.method": "PutObject", "s3_bucket_key.drift.kind": "bucket-key" };

  it("become what was counted between them, whether they are totals or changes", () => {
    const totals = [5, 8].map((n, i) =>
      exported("s3_bucket_key.drifts", {
        sum: {
          aggregationTemporality: 2,
          isMonotonic: true,
          dataPoints: [point(60 * i, { asInt: String(n) }, drift)],
        },
      }),
    );
    const changes = [2, 4].map((n, i) =>
      exported("s3_bucket_key.drifts", {
        sum: {
          aggregationTemporality: 1,
          isMonotonic: true,
          dataPoints: [point(60 * i, { asInt: n }, drift)],
        },
      }),
    );
    expect(readCounts(lines(totals)).increments).toEqual([
      { what: "drifts", attributes: drift, count: 5, atMs: Date.parse(SINCE) },
      { what: "drifts", attributes: drift, count: 3, atMs: Date.parse(SINCE) + 60_000 },
    ]);
    expect(counted(readCounts(lines(changes)).increments, "drifts")).toEqual([2, 4]);
  });

  it("tell processes apart by their resource, several in one line", () => {
    const sum = { aggregationTemporality: 2, dataPoints: [point(0, { asInt: "1" }, drift)] };
    const both = {
      resourceMetrics: ["a", "b"].map((stringValue) => ({
        resource: { attributes: [{ key: "service.instance.id", value: { stringValue } }] },
        scopeMetrics: [{ metrics: [{ name: "s3_bucket_key.drifts", sum }] }],
      })),
    };
    expect(readCounts(lines([both]))).toMatchObject({
      lines: 1,
      sources: 2,
      increments: [{ count: 1 }, { count: 1 }],
    });
  });

  it("show histograms by their counts, levels by their last value, and what clients wear", () => {
    const reading = readCounts(
      lines([
        exported("s3_bucket_key.kms.request.duration", {
          histogram: {
            aggregationTemporality: 2,
            dataPoints: [point(0, { count: "3", sum: 0.25 }, { "rpc.method": "Decrypt" })],
          },
        }),
        exported("s3_bucket_key.envelope.data_key.age", {
          histogram: { dataPoints: [point(0, { count: 2 })] },
        }),
        exported("s3_bucket_key.envelope.cache.entry.count", {
          sum: { dataPoints: [point(1, { asInt: "9" })] },
        }),
        exported("s3_bucket_key.client.count", {
          sum: {
            dataPoints: [
              point(2, { asInt: "1" }, { "s3_bucket_key.mode": "audit", "s3_bucket_key.policy.digest": "d" }),
              point(2, { asInt: "0" }, { "s3_bucket_key.mode": "off", "s3_bucket_key.policy.digest": "d" }),
              point(2, { asInt: "1" }),
            ],
          },
        }),
      ]),
    );
    expect(counted(reading.increments, "kmsRequestDuration")).toEqual([3]);
    expect(counted(reading.increments, "kmsSeconds")).toEqual([0.25]);
    expect(counted(reading.increments, "dataKeyAge")).toEqual([2]);
    expect(reading.wears).toEqual([
      { mode: "audit", policyDigest: "d" },
      { mode: "", policyDigest: "" },
    ]);
  });

  it("of others, logs and spans are passed over", () => {
    const text = lines([
      exported("http.server.duration", { sum: {} }),
      { resourceMetrics: [{ scopeMetrics: "x" }] },
      { resourceMetrics: 5 },
      { resourceLogs: [] },
      { resourceSpans: [] },
    ]);
    expect(readCounts(text)).toMatchObject({ lines: 0, problems: [] });
  });
});
