/**
 * The official S3 Encryption Clients, each in a small program of ours: they read what our envelope mode writes, and
 * write what it reads.
 *
 * A program is started once for a server and gets its jobs on stdin, one JSON object a line; it answers each with one
 * line on stdout, in order, until stdin ends. Where and as whom stands in AWS's own variables, beside `S3EC_BUCKET`
 * and `S3EC_KMS_KEY`. A job that fails is an answer, not the end. Bodies are never sent: both sides make them
 * (`bodies.ts`), and compare digests.
 */
import type { Road } from "./job.ts";
import type { Program, ProgramTarget } from "./program.ts";

export interface S3ecClient {
  readonly name: S3ecClientName;
  readonly version: string;
  /** Roads that it has no call for. */
  readonly lacks: readonly Road[];
  /**
   * Installs it when that was not done yet, and starts its program.
   *
   * @throws `Error` whose message says what is missing.
   */
  start(target: ProgramTarget): Promise<Program>;
}

export type S3ecClientName = "s3ec-python" | "s3ec-java" | "s3ec-go";
