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

/** Topics remembered by `sayOnce`; later ones stay unsaid. */
const MAX_TOPICS = 200;

/** Says things to people. Whatever the logger throws is swallowed: a log line never breaks a request. */
export class Log {
  readonly #own: Logger | undefined;
  readonly #said = new Set<string>();

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
