import {
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  S3Client,
  type S3ClientConfig,
} from "@aws-sdk/client-s3";
import { bucketKeys, type BucketKeysOptions, BucketKeyRefusedError, type Stats } from "../../src/index.ts";
import type { KmsKeys, RunningPeer } from "./peer.ts";
import { type KeyNames, logWire } from "./wire-log.ts";

/** What the bodies of most cases are. */
export const TEXT = "The quick brown fox.";

/** What one case works with, and the lines that say what came of it. */
export class Session {
  readonly bucket: string;
  /** A key that no other case writes to. */
  readonly key: string;
  readonly kmsKeys: KmsKeys;
  readonly keyNames: KeyNames;
  /** Wears the plugin; what it sends and gets is logged. */
  readonly s3: S3Client;
  /** Wears nothing and logs nothing: prepares what a case starts from. */
  readonly plain: S3Client;
  readonly #lines: string[] = [];
  readonly #plugin: ReturnType<typeof bucketKeys>;

  constructor(
    peer: RunningPeer,
    place: Readonly<{ bucket: string; key: string }>,
    options: BucketKeysOptions,
    config: S3ClientConfig,
  ) {
    this.bucket = place.bucket;
    this.key = place.key;
    this.kmsKeys = peer.kmsKeys;
    this.keyNames = Object.fromEntries(Object.entries(peer.kmsKeys).map(([name, arn]) => [arn, name]));
    this.plain = plainClient(peer);
    this.s3 = plainClient(peer, config);
    this.#plugin = bucketKeys({ logger: { warn: () => {} }, ...options });
    this.s3.middlewareStack.use(this.#plugin);
    logWire(this.s3, this.keyNames, this.#lines);
  }

  /** Does it; what it throws becomes a line. */
  async attempt<T>(call: () => Promise<T>): Promise<T | undefined> {
    try {
      return await call();
    } catch (error) {
      this.#lines.push(errorLine(error));
      return undefined;
    }
  }

  /** PutObject of `TEXT`, or of another body, to the case's key, or to another. */
  async put(input: Partial<PutObjectCommandInput> = {}): Promise<void> {
    const command = new PutObjectCommand({ Bucket: this.bucket, Key: this.key, Body: TEXT, ...input });
    await this.attempt(() => this.s3.send(command));
  }

  async head(Key = this.key): Promise<void> {
    await this.attempt(() => this.s3.send(new HeadObjectCommand({ Bucket: this.bucket, Key })));
  }

  /** GetObject; a line says whether the bytes are those. */
  async get(
    expected: string | Uint8Array,
    input: Readonly<{ Key?: string; Range?: string }> = {},
  ): Promise<void> {
    const command = new GetObjectCommand({ Bucket: this.bucket, Key: this.key, ...input });
    await this.attempt(async () => {
      const { Body } = await this.s3.send(command);
      const bytes = Buffer.from((await Body?.transformToByteArray()) ?? []);
      this.#lines.push(bytes.equals(Buffer.from(expected)) ? "the bytes are right" : otherBytes(bytes));
    });
  }

  /** A line of the case's own. */
  say(line: string): void {
    this.#lines.push(line);
  }

  /** Where the order of what happened means nothing. */
  sort(): void {
    this.#lines.sort();
  }

  /** What happened, in order, and then what the plugin counted, sorted. */
  lines(): readonly string[] {
    return [...this.#lines, ...statsLines(this.#plugin.stats())];
  }

  end(): void {
    this.s3.destroy();
    this.plain.destroy();
  }
}

/** A stock client of a peer. Settings that the environment could change are named. */
export function plainClient(
  peer: Pick<RunningPeer, "endpoint" | "region" | "credentials">,
  config: S3ClientConfig = {},
): S3Client {
  const { endpoint, region, credentials } = peer;
  const checksums = {
    requestChecksumCalculation: "WHEN_SUPPORTED",
    responseChecksumValidation: "WHEN_SUPPORTED",
  } as const;
  return new S3Client({ endpoint, region, credentials, forcePathStyle: true, ...checksums, ...config });
}

function errorLine(error: unknown): string {
  if (error instanceof BucketKeyRefusedError) return `refused by ${error.rule}: ${error.why}`;
  return `throws ${(error as Error).name}`;
}

function otherBytes(bytes: Buffer): string {
  return bytes.includes("<ObjectEncryption")
    ? "the bytes are the XML of the request"
    : `other bytes: ${bytes.length}`;
}

/** What the plugin counted, one line for each count of one. */
function statsLines(stats: Stats): readonly string[] {
  const counted: readonly (readonly [line: string, count: number])[] = [
    ...stats.requests.map(
      ({ operation, why, mode, count }) =>
        [`decided: ${operation} ${why}${mode === "enforce" ? "" : ` (${mode})`}`, count] as const,
    ),
    ...stats.responses.map(
      ({ operation, state, verdict, count }) => [`judged: ${operation} ${state}, ${verdict}`, count] as const,
    ),
    ...stats.drifts.map(({ operation, kind, count }) => [`drift: ${operation} ${kind}`, count] as const),
    ...stats.notes.map(({ note, count }) => [`note: ${note}`, count] as const),
    ...stats.errors.map(({ type, phase, count }) => [`error: ${type} (${phase})`, count] as const),
  ];
  return counted.flatMap(([line, count]) => Array.from({ length: count }, () => line)).toSorted();
}
