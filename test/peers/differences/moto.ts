import {
  COMPLETE,
  compliant,
  CREATE,
  GET,
  HEAD,
  honoured,
  PART_COPIED,
  PART_DONE,
  RIGHT,
  STATE,
} from "../cases/lines.ts";
import type { Difference, Differences } from "./difference.ts";
import { drift, noncompliant, notKms, NO_DEFAULT_ENCRYPTION, ANY_SIGNATURE, OVERWRITTEN } from "./lines.ts";

const MOTO_PARTS: Difference = {
  why: "moto forgets the flag of a multipart upload, so the object has none.",
  instead: { [GET]: "GetObject -> 200 aws:kms rule", [compliant("GetObject")]: noncompliant("GetObject") },
};

const MOTO_NO_DEFAULT: Difference = {
  why: "moto has no default encryption with SSE-S3 (R1).",
  instead: NO_DEFAULT_ENCRYPTION,
};

export const MOTO: Differences = {
  everywhere: [
    {
      why: "moto never answers the flag at any step of a multipart upload: drift at its creation.",
      instead: {
        [CREATE]: `CreateMultipartUpload ${STATE} -> 200 aws:kms rule`,
        [honoured("CreateMultipartUpload")]: drift("CreateMultipartUpload", "bucket-key"),
        [PART_DONE]: "UploadPart -> 200 aws:kms rule",
        [compliant("UploadPart")]: noncompliant("UploadPart"),
        [PART_COPIED]: "UploadPartCopy -> 200 aws:kms rule",
        [compliant("UploadPartCopy")]: noncompliant("UploadPartCopy"),
        [COMPLETE]: "CompleteMultipartUpload -> 200 aws:kms rule",
        [compliant("CompleteMultipartUpload")]: noncompliant("CompleteMultipartUpload"),
      },
    },
  ],
  cases: {
    "put-managed": {
      why: "moto names no key where the request names none (R13).",
      instead: {
        "PutObject aws:kms true -> 200 aws:kms a key of its own true":
          "PutObject aws:kms true -> 200 aws:kms true",
        "GetObject -> 200 aws:kms a key of its own true": "GetObject -> 200 aws:kms true",
      },
    },
    "put-without-policy": MOTO_NO_DEFAULT,
    audit: MOTO_NO_DEFAULT,
    "presigned-skipped": MOTO_NO_DEFAULT,
    "put-off": {
      why: "moto echoes a false flag, where AWS leaves the header out (M2). The verdict is the same.",
      instead: {
        "PutObject aws:kms rule false -> 200 aws:kms rule":
          "PutObject aws:kms rule false -> 200 aws:kms rule false",
        "HeadObject -> 200 aws:kms rule": "HeadObject -> 200 aws:kms rule false",
      },
    },
    "put-denied": {
      why: "moto takes any key id, also of keys that do not exist (E1).",
      instead: {
        "PutObject aws:kms missing true -> 400": "PutObject aws:kms missing true -> 200 aws:kms missing true",
        "throws KMS.NotFoundException": [],
        "judged: PutObject unknown, unverified": honoured("PutObject"),
        "error: KMS.NotFoundException (amended)": [],
      },
    },
    "wrong-secret": { why: "moto checks no signatures.", instead: ANY_SIGNATURE },
    multipart: {
      why: MOTO_PARTS.why,
      instead: {
        ...MOTO_PARTS.instead,
        [HEAD]: "HeadObject -> 200 aws:kms rule",
        [compliant("HeadObject")]: noncompliant("HeadObject"),
      },
    },
    "part-copy": MOTO_PARTS,
    "upload-large": MOTO_PARTS,
    "upload-stream": MOTO_PARTS,
    "presigned-header": {
      why: "moto does not check that the signed headers of a presigned URL are there (E16).",
      instead: { "presigned PUT -> 403": "presigned PUT -> 200" },
    },
    form: {
      why: "moto drops what a form says of encryption.",
      instead: {
        [`form ${STATE} -> 204 ${STATE}`]: `form ${STATE} -> 204`,
        [GET]: "GetObject -> 200",
        [compliant("GetObject")]: notKms("GetObject"),
      },
    },
    "form-tampered": {
      why: "moto holds a form against neither its policy nor its signature (E14).",
      instead: {
        "form aws:kms rule false -> 403": "form aws:kms rule false -> 204",
        "GetObject -> 404": "GetObject -> 200",
        "throws NoSuchKey": [RIGHT, notKms("GetObject")],
      },
    },
    "update-encryption": {
      why: "moto takes UpdateObjectEncryption for PutObject and overwrites the object with the request (M7).",
      instead: OVERWRITTEN,
    },
  },
};
