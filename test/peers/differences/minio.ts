import {
  COMPLETE,
  compliant,
  COPY,
  CREATE,
  GET,
  HEAD,
  honoured,
  PART_COPIED,
  PART_DONE,
  PUT,
  RIGHT,
  STATE,
} from "../cases/lines.ts";
import type { Difference, Differences } from "./difference.ts";
import { drift, noncompliant, notKms, nothingSaid, OVERWRITTEN } from "./lines.ts";

const NO_SUCH_KEY = "throws kms:KeyNotFound";
const unverified = (operation: string): string => `judged: ${operation} unknown, unverified`;

const NOT_WRITTEN: Difference = {
  why: "What MinIO refused cannot be read.",
  instead: { [RIGHT]: "throws NoSuchKey" },
};

const NO_DEFAULT = "MinIO has no default encryption with SSE-S3 (R1).";

const SOURCE_REFUSED: Difference = {
  why: "The object that is to be copied names such a key: MinIO refuses it already.",
  instead: {
    ...NOT_WRITTEN.instead,
    [COPY]: [NO_SUCH_KEY, `CopyObject ${STATE} -> 404`, "throws NoSuchKey"],
  },
};

/** lib-storage sends no parts when it could not create the upload. */
const NO_UPLOAD: Difference = {
  why: "No part is sent after MinIO refused to create the upload.",
  instead: {
    ...NOT_WRITTEN.instead,
    [PART_DONE]: [],
    [compliant("UploadPart")]: [],
    [COMPLETE]: [],
    [compliant("CompleteMultipartUpload")]: [],
  },
};

/** The cases that make parts by hand go on without an upload. */
const NO_ID =
  "MinIO refuses to create the upload; a part without an upload's id it takes for a whole object.";
const WITHOUT_UPLOAD: Difference["instead"] = {
  [COMPLETE]: ["CompleteMultipartUpload -> 400", "throws BadRequest"],
  [compliant("CompleteMultipartUpload")]: [],
  [GET]: "GetObject -> 200",
  [compliant("GetObject")]: notKms("GetObject"),
};
const NO_KEY_BY_DEFAULT = "MinIO takes no default with a key that it does not know.";

export const MINIO: Differences = {
  everywhere: [
    {
      why:
        "MinIO's own KMS knows one key, by a name that no KMS key ARN can be: every write that names the key of a " +
        "policy is refused with 404, and nothing is written.",
      instead: {
        [PUT]: [`PutObject ${STATE} -> 404`, NO_SUCH_KEY],
        [honoured("PutObject")]: unverified("PutObject"),
        [COPY]: [`CopyObject ${STATE} -> 404`, NO_SUCH_KEY],
        [honoured("CopyObject")]: unverified("CopyObject"),
        [CREATE]: [`CreateMultipartUpload ${STATE} -> 404`, NO_SUCH_KEY],
        [honoured("CreateMultipartUpload")]: unverified("CreateMultipartUpload"),
        [HEAD]: ["HeadObject -> 404", "throws NotFound"],
        [compliant("HeadObject")]: [],
        [GET]: "GetObject -> 404",
        [`GetObject -> 206 ${STATE}`]: "GetObject -> 404",
        [compliant("GetObject")]: [],
        "PutObject aws:kms rule -> 200 aws:kms rule": ["PutObject aws:kms rule -> 404", NO_SUCH_KEY],
        "judged: PutObject disabled, noncompliant": unverified("PutObject"),
        "GetObject -> 200 aws:kms rule": "GetObject -> 404",
        "judged: GetObject disabled, noncompliant": [],
      },
    },
  ],
  cases: {
    "put-without-policy": {
      why: NO_DEFAULT,
      instead: {
        "PutObject -> 200 AES256": "PutObject -> 200",
        "judged: PutObject not-applicable, not-applicable": nothingSaid("PutObject"),
      },
    },
    audit: {
      why: NO_DEFAULT,
      instead: {
        ...NOT_WRITTEN.instead,
        "PutObject -> 200 AES256": "PutObject -> 200",
        "judged: PutObject not-applicable, noncompliant": notKms("PutObject"),
      },
    },
    "presigned-skipped": {
      why: NO_DEFAULT,
      instead: {
        "presigned PUT -> 200 AES256": "presigned PUT -> 200",
        "GetObject -> 200 AES256": "GetObject -> 200",
        "judged: GetObject not-applicable, noncompliant": notKms("GetObject"),
      },
    },
    form: {
      why: "MinIO refuses a form that names such a key.",
      instead: {
        ...NOT_WRITTEN.instead,
        [`form ${STATE} -> 204 ${STATE}`]: `form ${STATE} -> 404`,
      },
    },
    "upload-aborted": {
      why: NO_ID,
      instead: {
        [PART_DONE]: "UploadPart -> 200",
        [compliant("UploadPart")]: nothingSaid("UploadPart"),
      },
    },
    "put-silent": NOT_WRITTEN,
    "empty-body": NOT_WRITTEN,
    "large-body": NOT_WRITTEN,
    "stream-body": NOT_WRITTEN,
    "stream-body-without-checksum": NOT_WRITTEN,
    "upload-small": NOT_WRITTEN,
    "odd-keys": NOT_WRITTEN,
    range: NOT_WRITTEN,
    concurrent: NOT_WRITTEN,
    "concurrent-cached": NOT_WRITTEN,
    "copy-plain": NOT_WRITTEN,
    "put-managed": {
      why: "MinIO drops the flag: drift of the bucket key.",
      instead: {
        "PutObject aws:kms true -> 200 aws:kms a key of its own true":
          "PutObject aws:kms true -> 200 aws:kms a key of its own",
        "GetObject -> 200 aws:kms a key of its own true": "GetObject -> 200 aws:kms a key of its own",
        [honoured("PutObject")]: drift("PutObject", "bucket-key"),
        [compliant("GetObject")]: noncompliant("GetObject"),
      },
    },
    "put-off": {
      why: "MinIO refuses the key of a policy, whatever the flag.",
      instead: {
        "PutObject aws:kms rule false -> 200 aws:kms rule": [
          "PutObject aws:kms rule false -> 404",
          NO_SUCH_KEY,
        ],
        "HeadObject -> 200 aws:kms rule": ["HeadObject -> 404", "throws NotFound"],
        "judged: PutObject disabled, honoured": unverified("PutObject"),
        "judged: HeadObject disabled, compliant": [],
      },
    },
    "put-kept-key": {
      why: "MinIO refuses the caller's key as well.",
      instead: {
        ...NOT_WRITTEN.instead,
        "PutObject aws:kms other true -> 200 aws:kms other true": [
          "PutObject aws:kms other true -> 404",
          NO_SUCH_KEY,
        ],
        "GetObject -> 200 aws:kms other true": "GetObject -> 404",
        "judged: GetObject enabled, noncompliant": [],
      },
    },
    "put-denied": {
      why: "MinIO has a code of its own for a key that does not exist (E1).",
      instead: {
        "PutObject aws:kms missing true -> 400": "PutObject aws:kms missing true -> 404",
        "throws KMS.NotFoundException": NO_SUCH_KEY,
        "error: KMS.NotFoundException (amended)": [],
      },
    },
    "keeps-the-rest": {
      why: "What was refused has no properties.",
      instead: {
        '{"ContentType":"text/x-odd","CacheControl":"max-age=7","Metadata":{"owner":"a team"}}': [],
      },
    },
    "copy-encrypted": SOURCE_REFUSED,
    "copy-in-place": SOURCE_REFUSED,
    "update-encryption": {
      why: "MinIO takes UpdateObjectEncryption for PutObject and writes the request where the object was to be.",
      instead: {
        "UpdateObjectEncryption -> 200": [NO_SUCH_KEY, "UpdateObjectEncryption -> 200"],
        ...OVERWRITTEN,
      },
    },
    multipart: {
      why: NO_ID,
      instead: {
        [PART_DONE]: "UploadPart -> 200",
        [compliant("UploadPart")]: nothingSaid("UploadPart"),
        ...WITHOUT_UPLOAD,
        [HEAD]: "HeadObject -> 200",
        [compliant("HeadObject")]: notKms("HeadObject"),
        [RIGHT]: "other bytes: 13",
      },
    },
    "part-copy": {
      why: NO_ID,
      instead: {
        [PART_COPIED]: "UploadPartCopy -> 200",
        [compliant("UploadPartCopy")]: nothingSaid("UploadPartCopy"),
        ...WITHOUT_UPLOAD,
      },
    },
    "upload-large": NO_UPLOAD,
    "upload-stream": NO_UPLOAD,
    "presigned-header": {
      why: "MinIO refuses a presigned write without its signed headers with 400 (E16), and one with the policy's key.",
      instead: {
        ...NOT_WRITTEN.instead,
        "presigned PUT -> 403": "presigned PUT -> 400",
        [`presigned PUT ${STATE} -> 200 ${STATE}`]: `presigned PUT ${STATE} -> 404`,
      },
    },
    "bucket-default": {
      why: NO_KEY_BY_DEFAULT,
      instead: {
        "the bucket has its default": NO_SUCH_KEY,
        [`PutObject -> 200 ${STATE}`]: "PutObject -> 200",
        [compliant("PutObject")]: nothingSaid("PutObject"),
        [HEAD]: "HeadObject -> 200",
        [compliant("HeadObject")]: nothingSaid("HeadObject"),
      },
    },
    "bucket-default-send": {
      why: NO_KEY_BY_DEFAULT,
      instead: {
        "the bucket has its default": NO_SUCH_KEY,
        [`PutObject true -> 200 ${STATE}`]: "PutObject true -> 200",
        [honoured("PutObject")]: nothingSaid("PutObject"),
      },
    },
    "bucket-configuration": {
      why: NO_KEY_BY_DEFAULT,
      instead: {
        "PutBucketEncryption -> 200": ["PutBucketEncryption -> 404", NO_SUCH_KEY],
        "the bucket says true": "throws ServerSideEncryptionConfigurationNotFoundError",
      },
    },
  },
};
