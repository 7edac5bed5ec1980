/** What clients are asked to do, and what comes of it. */
import type { BucketEncryption } from "../../../src/simulator/index.ts";

/**
 * - `put`: write each object in one piece, read it back;
 * - `multipart`: the same in parts of 5 MiB;
 * - `presigned`: sign URLs, for somebody else to write and read the object with;
 * - `presigned-read`: write the object, sign a URL for somebody else to read it with;
 * - `copy`: write the object without encryption headers, copy it onto `<key>` from `<key>-source`, read the copy;
 * - `update`: write the object under the key without the flag, then UpdateObjectEncryption with the flag, read it.
 */
export type Road = "put" | "multipart" | "presigned" | "presigned-read" | "copy" | "update";

export interface Job {
  /** The end of "the client ...". */
  readonly does: string;
  /** Whether `--smoke` runs it. */
  readonly smoke?: true;
  readonly road: Road;
  /** Whether the client names `aws:kms` and the key. */
  readonly namesKey?: true;
  /** Whether the client sends the flag, `true`. */
  readonly flag?: true;
  /** Default of the bucket; left out: SSE-S3. The key is the one that jobs name. */
  readonly bucketDefault?: Omit<BucketEncryption, "kmsKey">;
  readonly wrongSecret?: true;
  readonly keys: readonly string[];
  /** Bytes of each object. */
  readonly bytes: number;
  readonly comesOf: readonly string[];
}

export const WITHOUT = "aws:kms key";
export const WITH = `${WITHOUT} true`;

const MEBIBYTE = 1024 * 1024;
const KEYS = ["plain.txt", "with space+plus & more.txt", "ünï/€ 100%.txt"] as const;
const IN_ONE = { keys: KEYS, bytes: 1000 } as const;
/** Two parts of 5 MiB and a last one. */
const IN_PARTS = { keys: ["large.bin"], bytes: 11 * MEBIBYTE } as const;

export const times = (count: number, line: string): readonly string[] =>
  Array.from({ length: count }, () => line);

/** What S3 asked KMS: the simulator's count. */
const asked = (generate: number, decrypt: number, level: "bucket" | "object"): readonly string[] => [
  ...times(generate, `S3 asked KMS: GenerateDataKey, ${level}`),
  ...times(decrypt, `S3 asked KMS: Decrypt, ${level}`),
];

/** What the client read in answers, what the simulator says of the objects, and whether the bytes are those. */
const seen = (count: number, encryption: string, wrote = encryption): readonly string[] => [
  ...times(count, `put said ${wrote}`),
  ...times(count, `get said ${encryption}`),
  ...times(count, `stored ${encryption}`),
  ...times(count, "the bytes are right"),
];

const presigned = (encryption: string, binds: string): readonly string[] => [
  `the URL binds ${binds}`,
  "put without its headers: 403",
  "read through the URL for writing: 403",
  "put: 200",
  "get: 200",
  `stored ${encryption}`,
  "the bytes are right",
];

const count = KEYS.length;

export const JOBS = {
  put: {
    does: "writes under a key without the flag: each object asks KMS",
    smoke: true,
    road: "put",
    namesKey: true,
    ...IN_ONE,
    comesOf: [...seen(count, WITHOUT), ...asked(count, count, "object")],
  },
  "put-flag": {
    does: "writes with the flag: one bucket key serves all objects",
    smoke: true,
    road: "put",
    namesKey: true,
    flag: true,
    ...IN_ONE,
    comesOf: [...seen(count, WITH), ...asked(1, 1, "bucket")],
  },
  "put-default": {
    does: "writes without a word of encryption: the bucket's default has the flag",
    smoke: true,
    road: "put",
    bucketDefault: { sse: "aws:kms", bucketKey: true },
    ...IN_ONE,
    comesOf: [...seen(count, WITH), ...asked(1, 1, "bucket")],
  },
  multipart: {
    does: "writes parts without the flag: each part asks KMS, and so does what puts them together",
    smoke: true,
    road: "multipart",
    namesKey: true,
    ...IN_PARTS,
    comesOf: [...seen(1, WITHOUT), ...asked(1, 5, "object")],
  },
  "multipart-flag": {
    does: "writes parts with the flag: they share one bucket key",
    smoke: true,
    road: "multipart",
    namesKey: true,
    flag: true,
    ...IN_PARTS,
    comesOf: [...seen(1, WITH), ...asked(1, 1, "bucket")],
  },
  presigned: {
    does: "signs a URL that binds the uploader to the key",
    smoke: true,
    road: "presigned",
    namesKey: true,
    keys: [KEYS[2]],
    bytes: 1000,
    comesOf: [...presigned(WITHOUT, "algorithm and key"), ...asked(1, 1, "object")],
  },
  "presigned-flag": {
    does: "signs a URL that binds the uploader to the flag",
    smoke: true,
    road: "presigned",
    namesKey: true,
    flag: true,
    keys: [KEYS[2]],
    bytes: 1000,
    comesOf: [...presigned(WITH, "algorithm and flag and key"), ...asked(1, 1, "bucket")],
  },
  "presigned-read": {
    does: "signs a URL that reads an object with a bucket key",
    road: "presigned-read",
    namesKey: true,
    flag: true,
    keys: [KEYS[2]],
    bytes: 1000,
    comesOf: [
      `put said ${WITH}`,
      "get: 200",
      "write through the URL for reading: 403",
      `stored ${WITH}`,
      "the bytes are right",
      ...asked(1, 1, "bucket"),
    ],
  },
  "copy-flag": {
    does: "gives a copy the flag that its source has not",
    road: "copy",
    namesKey: true,
    flag: true,
    keys: [KEYS[1]],
    bytes: 1000,
    comesOf: [...seen(1, WITH), ...asked(1, 1, "bucket")],
  },
  "update-flag": {
    does: "gives an object that is there the flag, with UpdateObjectEncryption",
    road: "update",
    namesKey: true,
    flag: true,
    keys: [KEYS[1]],
    bytes: 1000,
    comesOf: [
      ...seen(1, WITH, WITHOUT),
      // To write it, and to take it out of its old key.
      ...asked(1, 1, "object"),
      ...asked(1, 1, "bucket"),
    ],
  },
  "wrong-secret": {
    does: "is refused with a secret that is wrong",
    smoke: true,
    road: "put",
    namesKey: true,
    flag: true,
    wrongSecret: true,
    keys: [KEYS[0]],
    bytes: 1000,
    comesOf: ["refused: SignatureDoesNotMatch"],
  },
} as const satisfies Readonly<Record<string, Job>>;

export type JobId = keyof typeof JOBS;

/** The table as a list. */
export const JOB_LIST = Object.entries(JOBS).map(([id, job]) => ({ id: id as JobId, ...(job as Job) }));
