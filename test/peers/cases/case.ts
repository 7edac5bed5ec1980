import type { S3ClientConfig } from "@aws-sdk/client-s3";
import type { BucketKeysOptions } from "../../../src/index.ts";
import type { KmsKeys } from "../peer.ts";
import type { Session } from "../session.ts";

/** One thing that is done with a stock client that wears the plugin. */
export interface Case {
  /** The end of "the plugin ...". */
  readonly does: string;
  /** Whether `--smoke` runs it. */
  readonly smoke?: true;
  /** What the plugin is made of. */
  readonly wears: (keys: KmsKeys) => BucketKeysOptions;
  /** Settings of the client that are not the SDK's own. */
  readonly client?: S3ClientConfig;
  /** Where much happens at once: lines are compared sorted. */
  readonly anyOrder?: true;
  readonly run: (session: Session) => Promise<void>;
  /** What comes of it on AWS, as a `Session` says it: the wire in order, the plugin's counts in any order. */
  readonly aws: readonly string[];
}

export type Cases = Readonly<Record<string, Case>>;
