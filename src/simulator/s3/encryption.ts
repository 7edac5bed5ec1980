/**
 * The decision table of S3 encryption, row by row: what a PutObject, a CreateMultipartUpload or the destination
 * side of a CopyObject becomes. This is the simulator's own reading of what AWS documents and what was recorded
 * there; docs/simulator.md says for each row who vouches for it.
 *
 * The rule behind the rows: the algorithm is the request's, else the bucket's. The bucket key exists only for
 * exactly `aws:kms`: the request's flag, else the bucket's, even when the request itself names `aws:kms`.
 */
import { S3Error, invalidArgument } from "./s3-error.ts";

/** What a write asks for, in the words of the table. */
export interface WriteFacts {
  readonly asks: Asks;
  readonly keyId: "none" | "named";
  readonly flag: Flag;
  readonly bucket: BucketDefault;
}

export type Flag = "none" | "true" | "false" | "other";

export type Asks =
  | "none"
  | "AES256"
  | "aws:kms"
  | "aws:kms:dsse"
  | "aws:fsx"
  | "aws:backup"
  | "SSE-C"
  | "SSE-C, blocked"
  | "SSE-C and SSE"
  | "other";

/** Default encryption of the bucket: `aws/s3` is SSE-KMS without a key id, `CMK` with one. */
export type BucketDefault = `${"SSE-S3" | "aws/s3" | "CMK" | "DSSE"}${"" | " + flag"}`;

/** What the write becomes. `key` says where the KMS key comes from. */
export interface Encrypts {
  readonly algorithm: "AES256" | "aws:kms" | "aws:kms:dsse" | "aws:fsx" | "aws:backup" | "SSE-C";
  readonly key: "none" | "named" | "aws/s3" | "bucket";
  readonly bucketKey: boolean;
}

interface Refuses {
  readonly error: () => S3Error;
}

/** Nobody has shown what AWS does. `ignore` is what the write becomes when the user picks that behaviour. */
interface Unknown {
  readonly unknown: string;
  readonly ignore: Encrypts | "as if the flag were absent";
}

/**
 * A row of which nobody knows what AWS does, and for which {@link SimulatorOptions.unknownRows} can pick an
 * answer. `R20` is PutBucketEncryption with DSSE and a bucket key, `U8` is UpdateObjectEncryption with the key
 * ARN of `aws/s3`, `U4` is the replication of an SSE-KMS object without a bucket key into a bucket that has one by
 * default; the others are writes.
 *
 * @public
 */
export type UnknownRow = "R8" | "R17" | "R19" | "R20" | "R21" | "R22" | "R24" | "R30" | "U4" | "U8";

export const UNKNOWN_ROWS: readonly UnknownRow[] = [
  "R8",
  "R17",
  "R19",
  "R20",
  "R21",
  "R22",
  "R24",
  "R30",
  "U4",
  "U8",
];

/**
 * What the simulator answers for a row that is unknown on AWS: `error` answers as S3 would if it refused the
 * request (400 `InvalidArgument`), `ignore` takes the request and disregards what is in question. Unset: 501
 * `SimulatorUnknownRow`, which no AWS service answers, so that a test cannot rest on a guess unnoticed.
 *
 * `U4` has one answer more: `ignore` disregards the destination's default, so that the replica has no bucket key
 * either; `apply` follows it; with `error` the replication fails. Unset, `replicate()` throws.
 *
 * @public
 */
export type UnknownRows = { readonly [Id in UnknownRow]?: UnknownRowAnswer<Id> };

/**
 * The answers that {@link UnknownRows} can pick for a row.
 *
 * @public
 */
export type UnknownRowAnswer<Id extends UnknownRow = UnknownRow> =
  | "error"
  | "ignore"
  | (Id extends "U4" ? "apply" : never);

/** The answers that a row has. */
export function answersOf(id: UnknownRow): readonly UnknownRowAnswer[] {
  return id === "U4" ? ["error", "ignore", "apply"] : ["error", "ignore"];
}

/** The way out that picks nothing: a request of which it is known what AWS does. */
const KNOWN_INSTEAD: { readonly [Id in UnknownRow]: string } = {
  R8: "give the bucket an SSE-KMS default with PutBucketEncryption, or name aws:kms in the request",
  R17: "leave the flag out, or name aws:kms",
  R19: "leave the flag out, or name aws:kms",
  R20: "leave BucketKeyEnabled out",
  R21: "name another algorithm",
  R22: "name another algorithm",
  R24: "leave the flag out",
  R30: "send true or false",
  U4: "write the source with a bucket key",
  U8: "name a customer managed key",
};

type Cell<Word> = Word | readonly Word[] | "any";

interface Row {
  readonly id: string;
  readonly asks: Cell<Asks>;
  readonly keyId: Cell<WriteFacts["keyId"]>;
  readonly flag: Cell<Flag>;
  readonly bucket: Cell<BucketDefault>;
  readonly becomes: Encrypts | Refuses | Unknown;
}

const SSE_S3: Encrypts = { algorithm: "AES256", key: "none", bucketKey: false };
const CUSTOMER_KEY: Encrypts = { algorithm: "SSE-C", key: "none", bucketKey: false };
const NAMED_ON: Encrypts = { algorithm: "aws:kms", key: "named", bucketKey: true };
const NAMED_OFF: Encrypts = { algorithm: "aws:kms", key: "named", bucketKey: false };
const MANAGED_ON: Encrypts = { algorithm: "aws:kms", key: "aws/s3", bucketKey: true };
const MANAGED_OFF: Encrypts = { algorithm: "aws:kms", key: "aws/s3", bucketKey: false };
const BUCKET_ON: Encrypts = { algorithm: "aws:kms", key: "bucket", bucketKey: true };
const BUCKET_OFF: Encrypts = { algorithm: "aws:kms", key: "bucket", bucketKey: false };
const DSSE_NAMED: Encrypts = { algorithm: "aws:kms:dsse", key: "named", bucketKey: false };
const DSSE_MANAGED: Encrypts = { algorithm: "aws:kms:dsse", key: "aws/s3", bucketKey: false };
const DSSE_BUCKET: Encrypts = { algorithm: "aws:kms:dsse", key: "bucket", bucketKey: false };

const MIXED: Refuses = {
  error: () =>
    invalidArgument(
      "Server Side Encryption with Customer provided key is incompatible with the encryption method specified",
      { ArgumentName: "x-amz-server-side-encryption" },
    ),
};
const BLOCKED: Refuses = {
  error: () =>
    new S3Error(
      403,
      "AccessDenied",
      "Server Side Encryption with Customer provided key is blocked by this bucket's BlockedEncryptionTypes",
    ),
};
const KEY_WITHOUT_KMS: Refuses = {
  error: () =>
    invalidArgument(
      "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms",
      { ArgumentName: "x-amz-server-side-encryption" },
    ),
};
const NOT_SUPPORTED: Refuses = {
  error: () =>
    invalidArgument("The encryption method specified is not supported", {
      ArgumentName: "x-amz-server-side-encryption",
    }),
};

const GIVEN = ["true", "false"] as const;
const PLAIN_DEFAULT = ["SSE-S3", "SSE-S3 + flag"] as const;
const KMS_DEFAULT = ["aws/s3", "aws/s3 + flag", "CMK", "CMK + flag"] as const;
const DSSE_DEFAULT = ["DSSE", "DSSE + flag"] as const;
const WITHOUT_FLAG = ["SSE-S3", "aws/s3", "CMK", "DSSE"] as const;
const WITH_FLAG = ["SSE-S3 + flag", "aws/s3 + flag", "CMK + flag", "DSSE + flag"] as const;

/**
 * The first row that fits decides. Refusals that are certain stand first, then what is unknown, then the rest.
 * A row reaches further than its name where only the rule above speaks: R13 and R14 hold for a write without
 * a key id too, R12 for a bucket without the flag, R8, R19 and R24 for `false` as for `true`.
 */
export const ROWS: readonly Row[] = [
  //    id     request SSE       key id   flag     bucket default  becomes
  row("R25", "SSE-C and SSE", "any", "any", "any", MIXED),
  row("R28", "other", "any", "any", "any", NOT_SUPPORTED),
  row("R27", ["none", "AES256", "SSE-C", "SSE-C, blocked"], "named", "any", "any", KEY_WITHOUT_KMS),
  row("R26", "SSE-C, blocked", "none", "any", "any", BLOCKED),

  row("R30", "any", "any", "other", "any", {
    unknown: "a bucket-key flag that is neither true nor false",
    ignore: "as if the flag were absent",
  }),
  row("R24", "SSE-C", "none", GIVEN, "any", {
    unknown: "the bucket-key flag together with a customer-provided key",
    ignore: CUSTOMER_KEY,
  }),
  row("R17", "AES256", "none", GIVEN, "any", {
    unknown: "the bucket-key flag together with AES256",
    ignore: SSE_S3,
  }),
  row("R19", "aws:kms:dsse", "named", GIVEN, "any", {
    unknown: "the bucket-key flag together with aws:kms:dsse",
    ignore: DSSE_NAMED,
  }),
  row("R19", "aws:kms:dsse", "none", GIVEN, "any", {
    unknown: "the bucket-key flag together with aws:kms:dsse",
    ignore: DSSE_MANAGED,
  }),
  row("R8", "none", "none", GIVEN, PLAIN_DEFAULT, {
    unknown: "the bucket-key flag alone, in a bucket whose default is SSE-S3",
    ignore: SSE_S3,
  }),
  row("R21", "aws:fsx", "any", "any", "any", {
    unknown: "aws:fsx in a bucket that is no S3 access point for FSx",
    ignore: { algorithm: "aws:fsx", key: "none", bucketKey: false },
  }),
  row("R22", "aws:backup", "any", "any", "any", {
    unknown: "the meaning of aws:backup",
    ignore: { algorithm: "aws:backup", key: "none", bucketKey: false },
  }),

  row("R1", "none", "none", "none", "SSE-S3", SSE_S3),
  row("R2", "none", "none", "none", "SSE-S3 + flag", SSE_S3),
  row("R3", "none", "none", "none", "CMK + flag", BUCKET_ON),
  row("R4", "none", "none", "none", "aws/s3 + flag", BUCKET_ON),
  row("R5", "none", "none", "none", ["aws/s3", "CMK"], BUCKET_OFF),
  row("R6", "none", "none", "true", KMS_DEFAULT, BUCKET_ON),
  row("R7", "none", "none", "false", KMS_DEFAULT, BUCKET_OFF),
  row("R20", "none", "none", "any", DSSE_DEFAULT, DSSE_BUCKET),

  row("R11", "aws:kms", "none", "none", "CMK", MANAGED_OFF),
  row("R11", "aws:kms", "none", "none", "CMK + flag", MANAGED_ON),
  row("R11", "aws:kms", "none", "true", ["CMK", "CMK + flag"], MANAGED_ON),
  row("R11", "aws:kms", "none", "false", ["CMK", "CMK + flag"], MANAGED_OFF),
  row("R13", "aws:kms", "none", "true", "any", MANAGED_ON),
  row("R14", "aws:kms", "none", "false", "any", MANAGED_OFF),
  row("R10", "aws:kms", "none", "none", "aws/s3 + flag", MANAGED_ON),
  row("R15", "aws:kms", "none", "none", ["SSE-S3 + flag", "DSSE + flag"], MANAGED_ON),
  row("R9", "aws:kms", "none", "none", WITHOUT_FLAG, MANAGED_OFF),

  row("R13", "aws:kms", "named", "true", "any", NAMED_ON),
  row("R14", "aws:kms", "named", "false", "any", NAMED_OFF),
  row("R15", "aws:kms", "named", "none", ["SSE-S3 + flag", "DSSE + flag"], NAMED_ON),
  row("R12", "aws:kms", "named", "none", WITH_FLAG, NAMED_ON),
  row("R12", "aws:kms", "named", "none", WITHOUT_FLAG, NAMED_OFF),

  row("R16", "AES256", "none", "none", "any", SSE_S3),
  row("R18", "aws:kms:dsse", "named", "none", "any", DSSE_NAMED),
  row("R18", "aws:kms:dsse", "none", "none", "any", DSSE_MANAGED),
  row("R23", "SSE-C", "none", "none", "any", CUSTOMER_KEY),
];

/**
 * What a write becomes, and by which row.
 *
 * @throws `S3Error` when the row refuses, or is unknown on AWS and no option picks an answer.
 */
export function decideEncryption(
  write: WriteFacts,
  unknownRows: UnknownRows,
): { readonly row: string; readonly encrypts: Encrypts } {
  const found = ROWS.find((candidate) => fits(candidate, write));
  if (found === undefined) throw new Error(`no row fits ${JSON.stringify(write)}`);
  const { id, becomes } = found;
  if ("error" in becomes) throw becomes.error();
  if (!("unknown" in becomes)) return { row: id, encrypts: becomes };
  settleUnknown(id as UnknownRow, becomes.unknown, unknownRows);
  if (becomes.ignore === "as if the flag were absent") {
    return decideEncryption({ ...write, flag: "none" }, unknownRows);
  }
  return { row: id, encrypts: becomes.ignore };
}

/** Returns when the option says `ignore`; throws the answer of the other two cases. */
export function settleUnknown(id: UnknownRow, question: string, unknownRows: UnknownRows): void {
  const picked = unknownRows[id];
  const answers = answersOf(id);
  if (picked === "ignore") return;
  if (picked === "error") {
    throw invalidArgument(`Simulated refusal of ${question} (row ${id}, unknownRows: "error").`);
  }
  throw new S3Error(
    501,
    "SimulatorUnknownRow",
    `Nobody has shown what AWS does with ${question} (row ${id}). Choose with the option ` +
      `unknownRows: { ${id}: ${answers.map((answer) => `"${answer}"`).join(" | ")} }, of the command ` +
      `simulate --unknown-row ${id}=${answers.join("|")}; none is known AWS behaviour. Or ${KNOWN_INSTEAD[id]}.`,
    { Row: id },
  );
}

function fits(candidate: Row, write: WriteFacts): boolean {
  return (
    holds(candidate.asks, write.asks) &&
    holds(candidate.keyId, write.keyId) &&
    holds(candidate.flag, write.flag) &&
    holds(candidate.bucket, write.bucket)
  );
}

function holds<Word extends string>(cell: Cell<Word>, word: Word): boolean {
  return cell === word || cell === "any" || (typeof cell === "object" && cell.includes(word));
}

function row(
  id: string,
  asks: Row["asks"],
  keyId: Row["keyId"],
  flag: Row["flag"],
  bucket: Row["bucket"],
  becomes: Row["becomes"],
): Row {
  return { id, asks, keyId, flag, bucket, becomes };
}
