/** What clients cannot do, or do otherwise, and why. Data: each line is asserted, and so is its being needed. */
import type { Difference, Differences } from "../differences/difference.ts";
import type { ClientName } from "./client.ts";
import type { JobId } from "./jobs.ts";
import { times, WITH, WITHOUT } from "./jobs.ts";

export interface Limits extends Differences<JobId> {
  /** Jobs that the client has no command for. */
  readonly cannot: Readonly<Partial<Record<JobId, string>>>;
}

const SHOWS_NOTHING: Difference["instead"] = {
  [`put said ${WITH}`]: [],
  [`put said ${WITHOUT}`]: [],
  [`get said ${WITH}`]: [],
  [`get said ${WITHOUT}`]: [],
};

/** Where the flag does not get through. */
const NO_FLAG: Difference["instead"] = {
  [`stored ${WITH}`]: `stored ${WITHOUT}`,
  "S3 asked KMS: GenerateDataKey, bucket": "S3 asked KMS: GenerateDataKey, object",
  "S3 asked KMS: Decrypt, bucket": "S3 asked KMS: Decrypt, object",
};
const RCLONE_NO_FLAG: Difference = {
  why:
    "rclone has no option for the flag; `--header-upload` of it has no effect, and the exit code is 0: only the " +
    "bucket's default gives rclone's objects a bucket key.",
  instead: NO_FLAG,
};

const NONE: Limits = { everywhere: [], cases: {}, cannot: {} };

const CLI_SIGNS_READS = "`aws s3 presign` signs URLs to read with only.";
const CLI_CP: Difference = {
  why: "`aws s3 cp` shows nothing, and has no option for the flag: with the flag the parts are sent by `aws s3api`.",
  instead: { [`put said ${WITHOUT}`]: [] },
};

export const LIMITS: Readonly<Record<ClientName, Limits>> = {
  boto3: NONE,
  s3cmd: {
    everywhere: [{ why: "s3cmd shows nothing of what it was answered.", instead: SHOWS_NOTHING }],
    cases: {},
    cannot: {
      presigned: "s3cmd signs URLs with version 2 only.",
      "presigned-flag": "s3cmd signs URLs with version 2 only.",
      "presigned-read": "s3cmd signs URLs with version 2 only.",
      "update-flag": "s3cmd doesn't know UpdateObjectEncryption.",
    },
  },
  "aws-cli-1": {
    everywhere: [],
    cases: { multipart: CLI_CP },
    cannot: { presigned: CLI_SIGNS_READS, "presigned-flag": CLI_SIGNS_READS },
  },
  "aws-cli-2": {
    everywhere: [],
    cases: { multipart: CLI_CP },
    cannot: {
      presigned: CLI_SIGNS_READS,
      "presigned-flag": CLI_SIGNS_READS,
      "update-flag": "The line 2.9 doesn't know UpdateObjectEncryption.",
    },
  },
  rclone: {
    everywhere: [{ why: "rclone shows nothing of what it was answered.", instead: SHOWS_NOTHING }],
    cases: {
      "put-flag": {
        ...RCLONE_NO_FLAG,
        instead: {
          ...NO_FLAG,
          "S3 asked KMS: GenerateDataKey, bucket": times(3, "S3 asked KMS: GenerateDataKey, object"),
          "S3 asked KMS: Decrypt, bucket": times(3, "S3 asked KMS: Decrypt, object"),
        },
      },
      "multipart-flag": {
        ...RCLONE_NO_FLAG,
        instead: { ...NO_FLAG, "S3 asked KMS: Decrypt, bucket": times(5, "S3 asked KMS: Decrypt, object") },
      },
      "presigned-read": RCLONE_NO_FLAG,
      "wrong-secret": {
        why: "rclone asks with HEAD first, whose refusal has no code.",
        instead: { "refused: SignatureDoesNotMatch": "refused: Forbidden" },
      },
    },
    cannot: {
      presigned: "`rclone link` signs URLs to read with only.",
      "presigned-flag": "`rclone link` signs URLs to read with only.",
      "copy-flag": "A copy by rclone names its remote's encryption, and no flag.",
      "update-flag": "rclone doesn't know UpdateObjectEncryption.",
    },
  },
  "sdk-go": {
    everywhere: [],
    cases: {
      "presigned-flag": {
        why:
          "The presigner of the SDK for Go moves the flag into the query, where S3 ignores it: only the bucket's " +
          "default gives such a write a bucket key.",
        instead: {
          ...NO_FLAG,
          "the URL binds algorithm and flag and key": "the URL binds algorithm and key",
        },
      },
    },
    cannot: {},
  },
  "sdk-java": NONE,
};
