import { diag, metrics, trace } from "@opentelemetry/api";
import type { MeterProvider } from "@opentelemetry/api";
import type { EnvelopeEvent } from "../body-sealer.ts";
import type { CountSource, Outcome, Telemetry } from "../telemetry/telemetry.ts";
import { warnOfHiddenProvider } from "./api-copies.ts";
import { BucketCounts } from "./bucket-counts.ts";
import { closedAttributes } from "./closed-attributes.ts";
import { makeInstruments, type Instruments } from "./instruments.ts";
import { Ledger, type Delta } from "./ledger.ts";
import { HeldMeasurements, measurementsOf } from "./measurements.ts";
import { METRICS, type MetricKey } from "./names.ts";
import type { OtelOptions } from "./options.ts";
import { clientRow, costRow, countRows, envelopeRows, type Row } from "./rows.ts";
import { describeOnSpan } from "./spans.ts";

/** How often pending counts are added when no collection asks for them. */
const FALLBACK_MS = 10_000;

/** One plugin that uses this telemetry. */
interface Wearer {
  readonly source: CountSource;
  readonly ledger: Ledger;
}

/** Whether the clients and the cached keys of a plugin still count in `client.count` and `cache.entry.count`. */
type Clients = "worn" | "gone";

/** Brings counts to the meter provider of their time. */
export class Exporter implements Telemetry {
  readonly #options: OtelOptions;
  readonly #close: ReturnType<typeof closedAttributes>;
  readonly #wearers = new Set<Wearer>();
  readonly #buckets: { readonly counts: BucketCounts; readonly ledger: Ledger } | undefined;
  readonly #held = new HeldMeasurements();
  #provider: MeterProvider | undefined;
  #instruments: Instruments | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #saidFailed = false;
  #saidHidden = false;
  #saidDropped = false;

  constructor(options: OtelOptions) {
    const maxBuckets = options.bucketAttribute?.max ?? 0;
    this.#options = options;
    this.#close = closedAttributes(maxBuckets);
    if (maxBuckets > 0) this.#buckets = { counts: new BucketCounts(maxBuckets), ledger: new Ledger() };
  }

  attach(source: CountSource): () => void {
    const wearer: Wearer = { source, ledger: new Ledger() };
    this.#wearers.add(wearer);
    this.#catchUp();
    // Some runtimes allow no timer outside a request; requests, collections and flush() then do alone.
    quietly(() => (this.#timer ??= startTimer(() => this.#catchUp())));
    return () => {
      if (!this.#wearers.has(wearer)) return;
      this.#catchUp();
      this.#guard(() => this.#addPendingOf(wearer, "gone"));
      this.#wearers.delete(wearer);
      if (this.#wearers.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
      this.#leave();
      this.#held.take();
    };
  }

  record(outcome: Outcome): void {
    if (this.#wearers.size === 0) return;
    try {
      this.#follow();
      this.#buckets?.counts.count(outcome);
      if (this.#options.spanAttributes === true) describeOnSpan(outcome);
    } catch (error) {
      this.#failed(error);
    }
  }

  measure(event: EnvelopeEvent): void {
    if (this.#wearers.size === 0) return;
    this.#guard(() => this.#follow());
    this.#guard(() => {
      for (const [metric, value, counted] of measurementsOf(event)) {
        this.#measure({ metric, value, attributes: this.#close(metric, counted) });
      }
    });
  }

  #measure(measurement: Delta): void {
    if (this.#instruments !== undefined) {
      this.#instruments.sealing();
      this.#instruments.add(measurement);
    } else if (this.#held.hold(measurement)) {
      this.#tellSources();
      if (this.#saidDropped) return;
      this.#saidDropped = true;
      diag.warn(
        "s3-bucket-keys: there is still no meter provider, so the oldest measurements of KMS requests and data " +
          "keys are dropped; counts are not.",
      );
    }
  }

  async flush(): Promise<void> {
    if (this.#wearers.size === 0) return;
    this.#catchUp();
    try {
      // Not of the API: the SDK's provider has it, others may.
      await (this.#provider as { forceFlush?: () => Promise<void> } | undefined)?.forceFlush?.();
    } catch (error) {
      this.#failed(error);
    }
  }

  #catchUp(): void {
    this.#guard(() => this.#follow());
    this.#addPending();
    if (this.#saidHidden) return;
    this.#guard(() => {
      const { meterProvider, spanAttributes } = this.#options;
      const lacksMetrics = this.#instruments === undefined && meterProvider === undefined;
      this.#saidHidden = warnOfHiddenProvider({
        metrics: lacksMetrics ? metrics.getMeterProvider() : undefined,
        trace: spanAttributes === true ? trace.getTracerProvider() : undefined,
      });
      if (this.#saidHidden) this.#tellSources();
    });
  }

  /** Goes over to the current provider; what is pending was counted under the one before. */
  #follow(): void {
    const provider = this.#options.meterProvider ?? metrics.getMeterProvider();
    if (provider === this.#provider) return;
    this.#leave();
    // Noted first: a provider that throws is not asked again for every request.
    this.#provider = provider;
    this.#instruments = makeInstruments(provider, {
      schemaUrl: this.#options.schemaUrl,
      metrics: (Object.keys(METRICS) as MetricKey[]).filter((metric) => this.#isShown(metric)),
      beforeCollection: () => this.#addPending(),
      guard: (step) => this.#guard(step),
    });
    this.#addPending();
    if (this.#instruments !== undefined) for (const held of this.#held.take()) this.#measure(held);
  }

  #leave(): void {
    this.#addPending("gone");
    this.#instruments?.release();
    this.#instruments = undefined;
    this.#provider = undefined;
  }

  /** Adds to the counters what the cells grew by since the last time. */
  #addPending(clients: Clients = "worn"): void {
    if (this.#instruments === undefined) return;
    for (const wearer of this.#wearers) this.#guard(() => this.#addPendingOf(wearer, clients));
    if (this.#buckets !== undefined) this.#add(this.#buckets.ledger, this.#buckets.counts.rows());
  }

  #addPendingOf({ source, ledger }: Wearer, clients: Clients): void {
    const { avoidedCost } = this.#options;
    const stats = source.stats();
    const { info, count } = source.clients();
    const rows = countRows(stats).filter(([metric]) => metric !== "responses" || this.#buckets === undefined);
    if (avoidedCost !== undefined) rows.push(costRow(stats, avoidedCost.usdPer10000Requests));
    if (clients === "worn") rows.push(clientRow(info, count));
    if (stats.envelope !== undefined) {
      this.#instruments?.sealing();
      rows.push(...envelopeRows(stats.envelope));
      if (clients === "worn") rows.push(["cacheEntryCount", stats.envelope.cacheEntries, {}]);
    }
    this.#add(ledger, rows);
  }

  #add(ledger: Ledger, rows: readonly Row[]): void {
    if (this.#instruments === undefined) return;
    for (const [metric, total, counted] of rows) ledger.note(metric, total, this.#close(metric, counted));
    for (const delta of ledger.take(canShrink)) this.#instruments.add(delta);
  }

  #isShown(metric: MetricKey): boolean {
    const { optIn } = METRICS[metric];
    return optIn === undefined || this.#options[optIn] !== undefined;
  }

  #guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    this.#tellSources();
    if (this.#saidFailed) return;
    this.#saidFailed = true;
    quietly(() => diag.error(`s3-bucket-keys: telemetry failed, requests did not; ${String(error)}`));
  }

  #tellSources(): void {
    for (const { source } of this.#wearers) quietly(() => source.telemetryFailed());
  }
}

function canShrink(metric: MetricKey): boolean {
  return METRICS[metric].instrument === "up-down-counter";
}

/** A timer that doesn't keep the process alive. */
function startTimer(tick: () => void): ReturnType<typeof setInterval> {
  const timer: { unref?: () => void } = setInterval(tick, FALLBACK_MS);
  timer.unref?.();
  return timer as ReturnType<typeof setInterval>;
}

function quietly(step: () => void): void {
  try {
    step();
  } catch {
    // Nothing that the counts would miss, or nowhere left to say it.
  }
}
