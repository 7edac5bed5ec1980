/** Where the peers are known to differ from AWS, and why. Data: each line is asserted, and so is its being needed. */
import type { CaseId } from "./cases.ts";
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
} from "./cases/lines.ts";
import type { PeerName } from "./peer.ts";

export interface Difference {
  readonly why: string;
  /** AWS's line, and the line or lines that come in its place. */
  readonly instead: Readonly<Record<string, string | readonly string[]>>;
}

export interface Differences {
  /** Hold in every case that has the line, unless `cases` says otherwise. */
  readonly everywhere: readonly Difference[];
  readonly cases: Readonly<Partial<Record<CaseId, Difference>>>;
}

const drift = (operation: string, kind: string, state = "disabled"): readonly string[] => [
  `judged: ${operation} ${state}, drift`,
  `drift: ${operation} ${kind}`,
];
const noncompliant = (operation: string): string => `judged: ${operation} disabled, noncompliant`;
const notKms = (operation: string): string => `judged: ${operation} unknown, noncompliant`;
const nothingSaid = (operation: string): string => `judged: ${operation} unknown, not-applicable`;

const NO_DEFAULT_ENCRYPTION = {
  "PutObject -> 200 AES256": "PutObject -> 200",
  "judged: PutObject not-applicable, not-applicable": nothingSaid("PutObject"),
  "judged: PutObject not-applicable, noncompliant": notKms("PutObject"),
  "presigned PUT -> 200 AES256": "presigned PUT -> 200",
  "GetObject -> 200 AES256": "GetObject -> 200",
  "judged: GetObject not-applicable, noncompliant": notKms("GetObject"),
};

/** What is answered to a signature by another secret where signatures are not checked. */
const ANY_SIGNATURE = {
  [`PutObject ${STATE} -> 403`]: PUT,
  "throws SignatureDoesNotMatch": [],
  "judged: PutObject unknown, unverified": honoured("PutObject"),
};

/** The danger of UpdateObjectEncryption on servers that do not know it. */
const OVERWRITTEN = {
  [GET]: "GetObject -> 200",
  [RIGHT]: "the bytes are the XML of the request",
  [compliant("GetObject")]: notKms("GetObject"),
};

const MOTO_PARTS: Difference = {
  why: "moto forgets the flag of a multipart upload, so the object has none.",
  instead: { [GET]: "GetObject -> 200 aws:kms rule", [compliant("GetObject")]: noncompliant("GetObject") },
};

const MOTO_NO_DEFAULT: Difference = {
  why: "moto has no default encryption with SSE-S3 (R1).",
  instead: NO_DEFAULT_ENCRYPTION,
};

const MOTO: Differences = {
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
    "update-encryption": {
      why: "moto takes UpdateObjectEncryption for PutObject and overwrites the object with the request (M7).",
      instead: OVERWRITTEN,
    },
  },
};

const CEPH_RGW: Differences = {
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
      why: "Ceph does not count another encryption as a change that a copy onto itself needs (E9).",
      instead: {
        [COPY]: [`CopyObject ${STATE} -> 400`, "throws InvalidRequest"],
        [honoured("CopyObject")]: [
          "judged: CopyObject unknown, unverified",
          "error: InvalidRequest (amended)",
        ],
      },
    },
    "update-encryption": {
      why: "Ceph takes UpdateObjectEncryption for PutObject and overwrites the object with the request.",
      instead: OVERWRITTEN,
    },
    "bucket-default": {
      why: "Ceph 16 has no default encryption of buckets.",
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
      why: "Ceph 16 has no default encryption of buckets.",
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

const SIMULATOR: Differences = {
  everywhere: [],
  cases: {
    "wrong-secret": { why: "The simulator verifies no signatures yet.", instead: ANY_SIGNATURE },
    "presigned-header": {
      why: "The simulator verifies no signatures yet (E16), and encrypts such a put by default (R1).",
      instead: { "presigned PUT -> 403": "presigned PUT -> 200 AES256" },
    },
  },
};

export const DIFFERENCES: Readonly<Record<PeerName, Differences>> = {
  moto: MOTO,
  "ceph-rgw": CEPH_RGW,
  simulator: SIMULATOR,
};
