import type { MeterProvider, TracerProvider } from "@opentelemetry/api";

const API = Symbol.for("opentelemetry.js.api.1");

/** What our copy of the API returned as the global providers; undefined where it doesn't matter. */
export interface Seen {
  readonly metrics: MeterProvider | undefined;
  readonly trace: TracerProvider | undefined;
}

/**
 * Says so when the application's OpenTelemetry is out of this package's reach.
 *
 * A copy of `@opentelemetry/api` ignores a global that was registered by an older minor version, and says
 * nothing. So: a provider stands in the global, and our copy doesn't return it.
 *
 * @returns Whether there was something to say.
 */
export function warnOfHiddenProvider(seen: Seen): boolean {
  const global: unknown = Reflect.get(globalThis, API);
  if (!isGlobalApi(global)) return false;
  const isHidden = (kind: keyof Seen): boolean =>
    seen[kind] !== undefined && global[kind] !== undefined && global[kind] !== seen[kind];
  const lost = [
    ...(isHidden("metrics") ? ["metrics are not exported"] : []),
    ...(isHidden("trace") ? ["attributes are not written on spans"] : []),
  ];
  if (lost.length === 0) return false;
  const message =
    `s3-bucket-keys: ${lost.join(" and ")}, because two copies of @opentelemetry/api are installed: the ` +
    `application registered its providers with version ${String(global.version)}, and the newer copy that ` +
    `s3-bucket-keys/otel imports does not see them. Run "npm ls @opentelemetry/api" and make both resolve to ` +
    `one copy${isHidden("metrics") ? ", or, for metrics, pass the provider: otel({ meterProvider })" : ""}.`;
  // Our own `diag` goes through the same global and is as blind as our `metrics`.
  if (global.diag === undefined) globalThis.process?.emitWarning?.(message);
  else global.diag.warn(message);
  return true;
}

interface GlobalApi {
  readonly version?: unknown;
  readonly metrics?: unknown;
  readonly trace?: unknown;
  readonly diag?: { warn(message: string): void };
}

function isGlobalApi(value: unknown): value is GlobalApi {
  return typeof value === "object" && value !== null;
}
