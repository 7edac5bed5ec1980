/** The simulator as a process of its own, for programs in any language. Loaded only when it is asked for. */
import { startSimulator, type Simulator, type UnknownRows } from "../../simulator/index.ts";
import { messageOf, UsageError, type ExitCode, type Io } from "../io.ts";
import { readCredentials } from "./credentials-file.ts";
import {
  countLine,
  environmentOf,
  greeting,
  shellLines,
  summaryTable,
  totalOf,
  type Surroundings,
} from "./texts.ts";

export interface SimulateOptions {
  readonly port: number;
  readonly region: string;
  readonly account: string;
  readonly credentials?: string;
  readonly verifySignatures?: true;
  readonly bucket?: readonly string[];
  /** Ids, ARNs and aliases; an id or ARN may have an alias behind a `=`. */
  readonly kmsKey?: readonly string[];
  readonly unknownRow?: UnknownRows;
  /** Seconds. */
  readonly lifetime: number;
  /** Seconds. */
  readonly every: number;
  readonly quiet?: true;
  readonly format: "text" | "json";
}

const KEY_NAMES = "write a key id, a key ARN, or alias/NAME, or two as one: ID=alias/NAME or ARN=alias/NAME";

/** Runs the simulator until somebody stops it. */
export async function simulate(options: SimulateOptions, io: Io): Promise<ExitCode> {
  const sim = await started(options, io);
  try {
    for (const name of options.bucket ?? []) makeBucket(sim, name);
    const kmsKeys = (options.kmsKey ?? []).map((name) => makeKmsKey(sim, name, options));
    const stopCounting = say(sim, kmsKeys, options, io);
    await io.untilStopped();
    stopCounting();
    const requests = sim.kmsRequests();
    if (options.format === "json")
      io.out(line({ event: "stopped", simulated: true, total: totalOf(requests), requests }));
    else if (options.quiet !== true) io.err(summaryTable(requests));
    return 0;
  } finally {
    await sim.close();
  }
}

async function started(options: SimulateOptions, io: Io): Promise<Simulator> {
  const { port, region, account: accountId, verifySignatures = false, lifetime } = options;
  const { credentials: file, unknownRow: unknownRows = {} } = options;
  const credentials = file === undefined ? undefined : await readCredentials(file, io);
  try {
    return await startSimulator({
      port,
      region,
      accountId,
      verifySignatures,
      bucketKeyLifetimeSeconds: lifetime,
      clock: "real",
      unknownRows,
      ...(credentials !== undefined && { credentials }),
    });
  } catch (error) {
    throw portTrouble(error, port) ?? error;
  }
}

function portTrouble(error: unknown, port: number): UsageError | undefined {
  switch ((error as NodeJS.ErrnoException).code) {
    case "EADDRINUSE":
      return new UsageError(
        `Port ${port} is taken${port === 5_000 ? " (on macOS by AirPlay Receiver)" : ""}: ` +
          `stop what listens there, or take another with --port ${port + 1}, or --port 0 for any that is free.`,
      );
    case "EACCES":
      return new UsageError(`Port ${port} needs more rights: take one above 1023 with --port.`);
    default:
      return undefined;
  }
}

function makeBucket(sim: Simulator, name: string): void {
  try {
    sim.createBucket(name);
  } catch (error) {
    throw new UsageError(
      `--bucket ${name}: ${messageOf(error)} A name has 3 to 63 small letters, digits, dots and hyphens, once.`,
    );
  }
}

/** @returns The ARN, and the alias if there is one. */
function makeKmsKey(sim: Simulator, name: string, { region, account }: SimulateOptions): string {
  const [key, alias] = partsOf(name);
  const arn = /^arn:[^:]+:kms:([^:]*):([^:]*):key\/(.+)$/.exec(key);
  if (arn !== null && (arn[1] !== region || arn[2] !== account)) {
    throw new UsageError(
      `--kms-key ${name}: the simulator is account ${account} in ${region}; say --account and --region.`,
    );
  }
  try {
    const made = sim.createKmsKey({
      ...(key !== "" && { id: keyId(arn?.[3] ?? key) }),
      ...(alias !== undefined && { alias: aliasName(alias) }),
    });
    return alias === undefined ? made.arn : `${made.arn} (${alias})`;
  } catch (error) {
    throw new UsageError(`--kms-key ${name}: ${messageOf(error)}.`);
  }
}

/** @returns Id or ARN, empty for an alias alone; the alias, if there is one. */
function partsOf(name: string): readonly [key: string, alias?: string] {
  if (name.startsWith("alias/")) return ["", name];
  const equals = name.indexOf("=");
  return equals < 1 ? [name] : [name.slice(0, equals), name.slice(equals + 1)];
}

function keyId(id: string): string {
  if (/^[\w-]{1,64}$/.test(id)) return id;
  throw new Error(KEY_NAMES);
}

function aliasName(alias: string): string {
  if (/^alias\/[\w/-]{1,250}$/.test(alias)) return alias;
  throw new Error(KEY_NAMES);
}

/** Says how it started, and from then on what is new. @returns What ends that. */
function say(sim: Simulator, kmsKeys: readonly string[], options: SimulateOptions, io: Io): () => void {
  const { credentials: credentialsFile, bucket: buckets = [], format, quiet = false } = options;
  const { region, credentials } = sim.clientConfig;
  const surroundings: Surroundings = {
    endpoint: sim.endpoint,
    region,
    accessKeyId: credentials.accessKeyId,
    ...(credentialsFile === undefined
      ? { secretAccessKey: credentials.secretAccessKey }
      : { credentialsFile }),
  };
  if (format === "json") {
    const environment = environmentOf(surroundings);
    const { endpoint } = sim;
    io.out(line({ event: "listening", endpoint, accountId: options.account, environment, buckets, kmsKeys }));
  } else {
    io.out(shellLines(surroundings));
    if (!quiet) io.err(greeting(surroundings, buckets, kmsKeys));
  }
  if (quiet) return () => {};
  let before = 0;
  const timer = setInterval(() => {
    const requests = sim.kmsRequests();
    const total = totalOf(requests);
    if (total === before) return;
    if (format === "json") io.out(line({ event: "kms-requests", simulated: true, total }));
    else io.err(countLine(requests, before, new Date()));
    before = total;
  }, options.every * 1_000);
  return () => clearInterval(timer);
}

function line(event: object): string {
  return `${JSON.stringify(event)}\n`;
}
