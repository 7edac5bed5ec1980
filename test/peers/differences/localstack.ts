import { COMPLETE, compliant, GET, RIGHT } from "../cases/lines.ts";
import type { Differences } from "./difference.ts";
import { noncompliant, ANY_SIGNATURE } from "./lines.ts";

export const LOCALSTACK: Differences = {
  everywhere: [],
  cases: {
    "wrong-secret": {
      why: "LocalStack checks the signatures of presigned URLs only.",
      instead: ANY_SIGNATURE,
    },
    "update-encryption": {
      why: "LocalStack does not know UpdateObjectEncryption, and says so: the object stays as it was.",
      instead: {
        "UpdateObjectEncryption -> 200": ["UpdateObjectEncryption -> 501", "throws InternalFailure"],
        [GET]: "GetObject -> 200 aws:kms rule",
        [compliant("GetObject")]: noncompliant("GetObject"),
      },
    },
    "part-copy": {
      why: "LocalStack wants a checksum of every part once the upload named an algorithm, and copied parts have none.",
      instead: {
        [COMPLETE]: ["CompleteMultipartUpload -> 400", "throws InvalidRequest"],
        [compliant("CompleteMultipartUpload")]: [],
        [GET]: "GetObject -> 404",
        [RIGHT]: "throws NoSuchKey",
        [compliant("GetObject")]: [],
      },
    },
  },
};
