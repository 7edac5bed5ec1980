/**
 * Clients that nobody here wrote, talking to our simulator with its signatures verified.
 *
 * The simulator is ours, and so is all that elsewhere talks to it. Here boto3, the AWS CLI of both lines, s3cmd,
 * rclone and the SDKs for Java and Go do: each writes with and without the flag, in one piece, in parts and through a
 * presigned URL, and reads back what it wrote. What the simulator then says of the objects, and how often S3 asked KMS
 * for them, is held against one table (`jobs.ts`). What a client cannot do stands in `limits.ts`.
 *
 * A client gets an order and prints lines; the suite counts those, and looks at the simulator itself.
 */
import type { Job } from "./jobs.ts";

export interface Client {
  readonly name: ClientName;
  readonly version: string;
  /**
   * Installs the client when that was not done yet.
   *
   * @throws `Error` whose message says what is missing.
   */
  install(): Promise<Worker>;
}

export type ClientName = "boto3" | "s3cmd" | "aws-cli-1" | "aws-cli-2" | "rclone" | "sdk-go" | "sdk-java";

/**
 * Does what is ordered, and gives what it printed. Lines that count:
 *
 * - `put said ...`, `get said ...`: what the client reads from an answer about encryption: algorithm, key, `true`;
 * - `signed put URL`, `signed get URL`: what the suite is to use in the client's place.
 *
 * @throws `Error` with the client's output when it fails.
 */
export type Worker = (order: Order) => Promise<string>;

/** One job of one client, at one simulator. */
export interface Order extends Pick<Job, "road" | "flag"> {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly bucket: string;
  /** ARN of the key to name, with `aws:kms`; left out, the write names no encryption. */
  readonly kmsKey?: string;
  readonly objects: readonly OrderedObject[];
  /** For logs and configuration; the client's home, empty at the start. */
  readonly folder: string;
}

export interface OrderedObject {
  readonly key: string;
  /** File with the bytes to write. */
  readonly from: string;
  /** File for the bytes that are read back. */
  readonly to: string;
}
