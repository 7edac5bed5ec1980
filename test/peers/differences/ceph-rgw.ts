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
import type { Differences } from "./difference.ts";
import { drift, noncompliant, notKms, nothingSaid, NO_DEFAULT_ENCRYPTION, OVERWRITTEN } from "./lines.ts";

export const CEPH_RGW: Differences = {
  everywhere: [
    {
      why: "Ceph knows no bucket keys: every enforced write is drift, every read one of an object without.",
      instead: {
        [PUT]: `PutObject ${STATE} -> 200 aws:kms rule`,
        [honoured("PutObject")]: drift("PutObject", "bucket-key"),
        [`presigned PUT ${STATE} -> 200 ${STATE}`]: `presigned PUT ${STATE} -> 200 aws:kms rule`,
        [CREATE]: `CreateMultipartUpload ${STATE} -> 200 aws:kms rule`,
        [honoured("CreateMultipartUpload")]: drift("CreateMultipartUpload", "bucket-key"),
        [PART_DONE]: "UploadPart -> 200 aws:kms rule",
        [compliant("UploadPart")]: noncompliant("UploadPart"),
        [HEAD]: "HeadObject -> 200 aws:kms rule",
        [compliant("HeadObject")]: noncompliant("HeadObject"),
        [GET]: "GetObject -> 200 aws:kms rule",
        [`GetObject -> 206 ${STATE}`]: "GetObject -> 206 aws:kms rule",
        [compliant("GetObject")]: noncompliant("GetObject"),
      },
    },
    {
      why: "Ceph says nothing of encryption where a part is copied or an upload completed.",
      instead: {
        [PART_COPIED]: "UploadPartCopy -> 200",
        [compliant("UploadPartCopy")]: nothingSaid("UploadPartCopy"),
        [COMPLETE]: "CompleteMultipartUpload -> 200",
        [compliant("CompleteMultipartUpload")]: nothingSaid("CompleteMultipartUpload"),
      },
    },
    {
      why: "Ceph knows no SSE-S3: not by default (R1), and it ignores AES256 (R16).",
      instead: { ...NO_DEFAULT_ENCRYPTION, "PutObject AES256 -> 200 AES256": "PutObject AES256 -> 200" },
    },
  ],
  cases: {
    "put-managed": {
      why: "Ceph has no key of its own for aws:kms without a key.",
      instead: {
        "PutObject aws:kms true -> 200 aws:kms a key of its own true": [
          "PutObject aws:kms true -> 400",
          "throws InvalidArgument",
        ],
        [honoured("PutObject")]: [
          "judged: PutObject unknown, unverified",
          "error: InvalidArgument (amended)",
        ],
        "GetObject -> 200 aws:kms a key of its own true": "GetObject -> 404",
        [RIGHT]: "throws NoSuchKey",
        [compliant("GetObject")]: [],
      },
    },
    "put-kept-key": {
      why: "Ceph knows no bucket keys, whichever the key.",
      instead: {
        "PutObject aws:kms other true -> 200 aws:kms other true":
          "PutObject aws:kms other true -> 200 aws:kms other",
        "GetObject -> 200 aws:kms other true": "GetObject -> 200 aws:kms other",
        "judged: GetObject enabled, noncompliant": noncompliant("GetObject"),
      },
    },
    "put-denied": {
      why: "Ceph has codes of its own for a key that does not exist (E1).",
      instead: {
        "PutObject aws:kms missing true -> 400": "PutObject aws:kms missing true -> 403",
        "throws KMS.NotFoundException": "throws InvalidAccessKeyId",
        "error: KMS.NotFoundException (amended)": [],
      },
    },
    "stream-body": {
      why: "Ceph 16 takes no aws-chunked bodies with trailers; streams need WHEN_REQUIRED.",
      instead: {
        [PUT]: [`PutObject ${STATE} -> 411`, "throws MissingContentLength"],
        [honoured("PutObject")]: "judged: PutObject unknown, unverified",
        [GET]: "GetObject -> 404",
        [RIGHT]: "throws NoSuchKey",
        [compliant("GetObject")]: [],
      },
    },
    "copy-plain": {
      why: "Ceph copies an object as it is stored: plain stays plain, whatever is asked.",
      instead: {
        [COPY]: `CopyObject ${STATE} -> 200`,
        [honoured("CopyObject")]: drift("CopyObject", "algorithm", "unknown"),
        [GET]: "GetObject -> 200",
        [compliant("GetObject")]: notKms("GetObject"),
      },
    },
    "copy-encrypted": {
      why: "Ceph cannot copy an encrypted object.",
      instead: {
        [COPY]: [`CopyObject ${STATE} -> 501`, "throws NotImplemented"],
        [honoured("CopyObject")]: "judged: CopyObject unknown, unverified",
        [GET]: "GetObject -> 404",
        [RIGHT]: "throws NoSuchKey",
        [compliant("GetObject")]: [],
      },
    },
    "copy-in-place": {
      why: "Ceph does not count another encryption as a change that a copy onto itself needs (E9), and answers 400.",
      instead: {
        [COPY]: [`CopyObject ${STATE} -> 400`, "throws InvalidRequest"],
        [honoured("CopyObject")]: [
          "judged: CopyObject unknown, unverified",
          "error: InvalidRequest (amended)",
        ],
      },
    },
    form: {
      why: "Ceph does what a form says of encryption, and answers nothing of it.",
      instead: { [`form ${STATE} -> 204 ${STATE}`]: `form ${STATE} -> 204` },
    },
    "update-encryption": {
      why: "Ceph takes UpdateObjectEncryption for PutObject and overwrites the object with the request.",
      instead: OVERWRITTEN,
    },
    "bucket-default": {
      why: "Ceph 16 has no default encryption of buckets, and answers 400 InvalidArgument to PutBucketEncryption.",
      instead: {
        "the bucket has its default": "throws InvalidArgument",
        [`PutObject -> 200 ${STATE}`]: "PutObject -> 200",
        [compliant("PutObject")]: nothingSaid("PutObject"),
        [HEAD]: "HeadObject -> 200",
        [compliant("HeadObject")]: nothingSaid("HeadObject"),
      },
    },
    "bucket-default-send": {
      why: "Ceph 16 has no default encryption of buckets, and ignores a flag that stands alone.",
      instead: {
        "the bucket has its default": "throws InvalidArgument",
        [`PutObject true -> 200 ${STATE}`]: "PutObject true -> 200",
        [honoured("PutObject")]: nothingSaid("PutObject"),
      },
    },
    "bucket-configuration": {
      why: "Ceph 16 has no default encryption of buckets, and answers 400 InvalidArgument to PutBucketEncryption.",
      instead: {
        "PutBucketEncryption -> 200": ["PutBucketEncryption -> 400", "throws InvalidArgument"],
        "the bucket says true": "the bucket says undefined",
        "judged: PutBucketEncryption unknown, unverified": [
          "judged: PutBucketEncryption unknown, unverified",
          "error: InvalidArgument (amended)",
        ],
      },
    },
  },
};
