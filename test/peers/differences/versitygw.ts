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
import { drift, notKms, nothingSaid, NO_DEFAULT_ENCRYPTION, OVERWRITTEN } from "./lines.ts";

export const VERSITYGW: Differences = {
  everywhere: [
    {
      why: "versitygw ignores whatever is said of encryption: every enforced write is drift of the algorithm.",
      instead: {
        [PUT]: `PutObject ${STATE} -> 200`,
        [honoured("PutObject")]: drift("PutObject", "algorithm", "unknown"),
        "PutObject aws:kms rule -> 200 aws:kms rule": "PutObject aws:kms rule -> 200",
        "judged: PutObject disabled, noncompliant": notKms("PutObject"),
        "GetObject -> 200 aws:kms rule": "GetObject -> 200",
        "judged: GetObject disabled, noncompliant": notKms("GetObject"),
        "PutObject AES256 -> 200 AES256": "PutObject AES256 -> 200",
        [`presigned PUT ${STATE} -> 200 ${STATE}`]: `presigned PUT ${STATE} -> 200`,
        [COPY]: `CopyObject ${STATE} -> 200`,
        [honoured("CopyObject")]: drift("CopyObject", "algorithm", "unknown"),
        [CREATE]: `CreateMultipartUpload ${STATE} -> 200`,
        [honoured("CreateMultipartUpload")]: drift("CreateMultipartUpload", "algorithm", "unknown"),
        [PART_DONE]: "UploadPart -> 200",
        [compliant("UploadPart")]: nothingSaid("UploadPart"),
        [PART_COPIED]: "UploadPartCopy -> 200",
        [compliant("UploadPartCopy")]: nothingSaid("UploadPartCopy"),
        [COMPLETE]: "CompleteMultipartUpload -> 200",
        [compliant("CompleteMultipartUpload")]: nothingSaid("CompleteMultipartUpload"),
        [HEAD]: "HeadObject -> 200",
        [compliant("HeadObject")]: notKms("HeadObject"),
        [GET]: "GetObject -> 200",
        [`GetObject -> 206 ${STATE}`]: "GetObject -> 206",
        [compliant("GetObject")]: notKms("GetObject"),
        ...NO_DEFAULT_ENCRYPTION,
      },
    },
  ],
  cases: {
    "put-managed": {
      why: "versitygw ignores whatever is said of encryption, without a key too.",
      instead: {
        "PutObject aws:kms true -> 200 aws:kms a key of its own true": "PutObject aws:kms true -> 200",
        "GetObject -> 200 aws:kms a key of its own true": "GetObject -> 200",
        [compliant("GetObject")]: nothingSaid("GetObject"),
      },
    },
    "put-off": {
      why: "versitygw ignores whatever is said of encryption, a flag that is false too.",
      instead: {
        "PutObject aws:kms rule false -> 200 aws:kms rule": "PutObject aws:kms rule false -> 200",
        "HeadObject -> 200 aws:kms rule": "HeadObject -> 200",
        "judged: PutObject disabled, honoured": drift("PutObject", "algorithm", "unknown"),
        "judged: HeadObject disabled, compliant": notKms("HeadObject"),
      },
    },
    "put-kept-key": {
      why: "versitygw ignores whatever is said of encryption, whichever the key.",
      instead: {
        "PutObject aws:kms other true -> 200 aws:kms other true": "PutObject aws:kms other true -> 200",
        "GetObject -> 200 aws:kms other true": "GetObject -> 200",
        "judged: GetObject enabled, noncompliant": notKms("GetObject"),
      },
    },
    "put-denied": {
      why: "versitygw takes any key id: it has no KMS (E1).",
      instead: {
        "PutObject aws:kms missing true -> 400": "PutObject aws:kms missing true -> 200",
        "throws KMS.NotFoundException": [],
        "judged: PutObject unknown, unverified": drift("PutObject", "algorithm", "unknown"),
        "error: KMS.NotFoundException (amended)": [],
      },
    },
    "copy-in-place": {
      why: "versitygw does not count another encryption as a change that a copy onto itself needs (E9).",
      instead: {
        [COPY]: [`CopyObject ${STATE} -> 400`, "throws InvalidRequest"],
        [honoured("CopyObject")]: [
          "judged: CopyObject unknown, unverified",
          "error: InvalidRequest (amended)",
        ],
      },
    },
    form: {
      why: "versitygw ignores whatever is said of encryption, in a form too.",
      instead: { [`form ${STATE} -> 204 ${STATE}`]: `form ${STATE} -> 204` },
    },
    "update-encryption": {
      why: "versitygw takes UpdateObjectEncryption for PutObject and overwrites the object with the request.",
      instead: OVERWRITTEN,
    },
    "part-copy": {
      why: "versitygw wants a checksum of every part once the upload named an algorithm, and copied parts have none.",
      instead: {
        [COMPLETE]: ["CompleteMultipartUpload -> 400", "throws InvalidRequest"],
        [compliant("CompleteMultipartUpload")]: [],
        [GET]: "GetObject -> 404",
        [RIGHT]: "throws NoSuchKey",
        [compliant("GetObject")]: [],
      },
    },
    "bucket-default": {
      why: "versitygw has no default encryption of buckets.",
      instead: {
        "the bucket has its default": "throws NotImplemented",
        [`PutObject -> 200 ${STATE}`]: "PutObject -> 200",
        [compliant("PutObject")]: nothingSaid("PutObject"),
        [compliant("HeadObject")]: nothingSaid("HeadObject"),
      },
    },
    "bucket-default-send": {
      why: "versitygw has no default encryption of buckets, and ignores a flag that stands alone.",
      instead: {
        "the bucket has its default": "throws NotImplemented",
        [`PutObject true -> 200 ${STATE}`]: "PutObject true -> 200",
        [honoured("PutObject")]: nothingSaid("PutObject"),
      },
    },
    "bucket-configuration": {
      why: "versitygw has no default encryption of buckets.",
      instead: {
        "PutBucketEncryption -> 200": ["PutBucketEncryption -> 501", "throws NotImplemented"],
        "the bucket says true": "throws NotImplemented",
      },
    },
  },
};
