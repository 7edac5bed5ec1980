/**
 * The otel room shows the plugin's counts as OpenTelemetry metrics.
 *
 * Nothing of OpenTelemetry runs per request, except for one identity check: requests are counted in plain
 * cells by the telemetry room, and what the cells grew by is added to ordinary synchronous counters just
 * before the SDK collects them. Synchronous, because an observable counter under a View that drops attributes
 * exports wrong sums; before collection, because three counter calls per request cost 5 to 10 microseconds.
 */
import type { Telemetry } from "../telemetry/telemetry.ts";
import { Exporter } from "./exporter.ts";
import { checkOptions, type OtelOptions } from "./options.ts";

/**
 * Telemetry that shows the plugin's counts as OpenTelemetry metrics; see `METRICS` for all of them.
 *
 * The meter provider may be registered before or after, and replaced: counts from before the first one are
 * added to it when it appears; later ones go to the provider of their time. Whatever the provider throws is
 * swallowed, told to `diag` once, and counted as `errors` with phase `telemetry`. Keeps no process alive.
 *
 * `flush()` and `close()` of the plugin also force the provider to export, which may take as long as the
 * exporter's timeout. One `otel()` can serve several plugins.
 *
 * @throws `BucketKeySetupError` for an option that isn't there, or isn't what it must be.
 * @example
 * ```ts
 * client.middlewareStack.use(bucketKeys({ policy, telemetry: otel() }));
 * ```
 * @public
 */
export function otel(options: OtelOptions = {}): Telemetry {
  checkOptions(options);
  return new Exporter(options);
}
