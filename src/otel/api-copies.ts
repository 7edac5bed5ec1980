import type { MeterProvider } from "@opentelemetry/api";

const API = Symbol.for("opentelemetry.js.api.1");

/**
 * Says so when the application's OpenTelemetry is out of this package's reach.
 *
 * A copy of `@opentelemetry/api` ignores a global that was registered by an older minor version, and says
 * nothing. So: a provider stands in the global, and our copy doesn't return it.
 *
 * @param seen - What our copy of the API returned as the global meter provider.
 * @returns Whether there was something to say.
 */
export function warnOfHiddenProvider(seen: MeterProvider): boolean {
  const global: unknown = Reflect.get(globalThis, API);
  if (!isGlobalApi(global) || global.metrics === undefined || global.metrics === seen) return false;
  const message =
    `s3-bucket-keys: metrics are not exported, because two copies of @opentelemetry/api are installed: the ` +
    `application registered its meter provider with version ${String(global.version)}, and the newer copy that ` +
    `s3-bucket-keys/otel imports does not see it. Run "npm ls @opentelemetry/api" and make both resolve to ` +
    `one copy, or pass the provider: otel({ meterProvider }).`;
  // Our own `diag` goes through the same global and is as blind as our `metrics`.
  if (global.diag === undefined) globalThis.process?.emitWarning?.(message);
  else global.diag.warn(message);
  return true;
}

interface GlobalApi {
  readonly version?: unknown;
  readonly metrics?: unknown;
  readonly diag?: { warn(message: string): void };
}

function isGlobalApi(value: unknown): value is GlobalApi {
  return typeof value === "object" && value !== null;
}
