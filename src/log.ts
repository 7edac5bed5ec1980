import type { Context } from "./call.ts";

/**
 * Where the plugin speaks: any logger with `warn`, such as `console`.
 *
 * @public
 */
export interface Logger {
  /** Takes one line for people. */
  warn(message: string): void;
}

const PREFIX = "s3-bucket-keys: ";

/** Topics remembered by `sayOnce`; later ones stay unsaid. As many by `sayLimited`; later ones share one. */
const MAX_TOPICS = 200;
/** Lines of a topic that may come at once; each of them is there again after a minute. */
const BURST = 10;
const MINUTE_MS = 60_000;

/** How much of its burst a topic has used, and what stayed unsaid. */
interface Topic {
  /** Lines used, with the fraction that time has given back at `atMs`. */
  used: number;
  atMs: number;
  unsaid: number;
  unsaidSinceMs: number;
}

/** Says things to people. Whatever the logger throws is swallowed: a log line never breaks a request. */
export class Log {
  readonly #own: Logger | undefined;
  readonly #said = new Set<string>();
  readonly #topics = new Map<string, Topic>();

  /** @param own - The logger of the plugin's options; it goes before the client's. */
  constructor(own: Logger | undefined) {
    this.#own = own;
  }

  say(message: string, context: Context = {}): void {
    try {
      const logger = this.#own ?? speakingLogger(context.logger);
      if (logger === undefined) emitWarning(PREFIX + message);
      else logger.warn(PREFIX + message);
    } catch {
      // Nowhere left to say it.
    }
  }

  sayOnce(topic: string, message: string, context: Context = {}): void {
    if (this.#said.has(topic) || this.#said.size >= MAX_TOPICS) return;
    this.#said.add(topic);
    this.say(message, context);
  }

  /** One line of each topic per minute, 10 at once; the next that is said tells how many were not. */
  sayLimited(topic: string, message: () => string, context: Context, nowMs: number = Date.now()): void {
    const entry = this.#topicOf(topic, nowMs);
    refill(entry, nowMs);
    if (entry.used > BURST - 1) {
      if (entry.unsaid++ === 0) entry.unsaidSinceMs = nowMs;
      return;
    }
    entry.used++;
    const { unsaid, unsaidSinceMs } = entry;
    entry.unsaid = 0;
    const others =
      unsaid === 0 ? "" : ` (${unsaid} more like this since ${new Date(unsaidSinceMs).toISOString()})`;
    this.say(message() + others, context);
  }

  #topicOf(topic: string, nowMs: number): Topic {
    const topics = this.#topics;
    if (topics.size >= MAX_TOPICS && !topics.has(topic)) {
      for (const [name, entry] of topics) {
        refill(entry, nowMs);
        if (entry.used === 0) topics.delete(name);
      }
    }
    const name = topics.size < MAX_TOPICS || topics.has(topic) ? topic : "";
    const known = topics.get(name);
    if (known !== undefined) return known;
    const fresh: Topic = { used: 0, atMs: nowMs, unsaid: 0, unsaidSinceMs: 0 };
    topics.set(name, fresh);
    return fresh;
  }
}

function refill(entry: Topic, nowMs: number): void {
  // A clock that was set back gives nothing, and takes nothing.
  entry.used = Math.max(0, entry.used - Math.max(0, nowMs - entry.atMs) / MINUTE_MS);
  entry.atMs = nowMs;
}

function speakingLogger(logger: unknown): Logger | undefined {
  if (typeof logger !== "object" || logger === null || !("warn" in logger)) return undefined;
  return typeof logger.warn === "function" && !isSilentDefault(logger) ? (logger as Logger) : undefined;
}

/**
 * The SDK's default logger swallows everything: a class whose methods have empty bodies. A user's own silent
 * logger, an object literal, is a wish and is respected.
 */
function isSilentDefault(logger: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(logger);
  if (prototype === Object.prototype || prototype === null) return false;
  return ["trace", "debug", "info", "warn", "error"].every((method) => {
    if (Object.hasOwn(logger, method)) return false;
    const own = (prototype as Record<string, unknown>)[method];
    return typeof own === "function" && /\{\s*\}$/.test(Function.prototype.toString.call(own));
  });
}

/** `process.emitWarning` where there is one (Node, Deno, Bun), else the console. */
function emitWarning(message: string): void {
  const { process, console } = globalThis as {
    process?: { emitWarning?: (message: string, options: object) => void };
    console?: { warn(message: string): void };
  };
  if (typeof process?.emitWarning === "function") {
    process.emitWarning(message, { type: "S3BucketKeysWarning" });
  } else {
    console?.warn(message);
  }
}
