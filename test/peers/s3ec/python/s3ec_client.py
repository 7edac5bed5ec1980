"""Does jobs with the official S3 Encryption Client for Python: a JSON object a line in, one a line out (job.ts)."""

import hashlib
import io
import json
import os
import sys
import time
from functools import cache

import boto3
from s3_encryption import S3EncryptionClient, S3EncryptionClientConfig
from s3_encryption.materials.kms_keyring import KmsKeyring
from s3_encryption.materials.materials import AlgorithmSuite, CommitmentPolicy

BUCKET = os.environ["S3EC_BUCKET"]
KMS_KEY = os.environ["S3EC_KMS_KEY"]
PERIOD = 65521
PART_BYTES = 5 * 1024 * 1024


@cache
def client(format, legacy):
    keyring = KmsKeyring(boto3.client("kms"), KMS_KEY, enable_legacy_wrapping_algorithms=legacy)
    settings = {} if format == "V3" else {
        "encryption_algorithm": AlgorithmSuite.ALG_AES_256_GCM_IV12_TAG16_NO_KDF,
        "commitment_policy": CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT,
    }
    config = S3EncryptionClientConfig(keyring=keyring, enable_legacy_unauthenticated_modes=legacy, **settings)
    return S3EncryptionClient(boto3.client("s3"), config)


@cache
def plain_client():
    return boto3.client("s3")


@cache
def period(seed):
    digests = (hashlib.sha256(f"{seed} {i}".encode()).digest() for i in range(-(-PERIOD // 32)))
    return b"".join(digests)[:PERIOD]


@cache
def body_of(seed, size):
    return (period(seed) * (size // PERIOD + 1))[:size]


class Once(io.RawIOBase):
    """A stream that can't be read twice."""

    def __init__(self, content):
        self.inner = io.BytesIO(content)

    def readable(self):
        return True

    def read(self, size=-1):
        return self.inner.read(size)


def context_of(job):
    return {"EncryptionContext": job["context"]} if "context" in job else {}


def multipart(s3, key, body, rest):
    place = {"Bucket": BUCKET, "Key": key}
    place["UploadId"] = s3.create_multipart_upload(**place, **rest)["UploadId"]
    parts = []
    for start in range(0, len(body), PART_BYTES):
        number = len(parts) + 1
        is_last = start + PART_BYTES >= len(body)
        part = body[start : start + PART_BYTES]
        answer = s3.upload_part(**place, PartNumber=number, Body=part, IsLastPart=is_last)
        parts.append({"PartNumber": number, "ETag": answer["ETag"]})
    s3.complete_multipart_upload(**place, MultipartUpload={"Parts": parts})


def put(job):
    body = body_of(job["body"]["seed"], job["body"]["bytes"])
    s3 = client(job["format"], False)
    rest = {**context_of(job), **({"Metadata": job["metadata"]} if "metadata" in job else {})}
    if job["road"] == "put":
        s3.put_object(Bucket=BUCKET, Key=job["key"], Body=body, **rest)
    elif job["road"] == "stream":
        s3.put_object(Bucket=BUCKET, Key=job["key"], Body=Once(body), **rest)
    elif job["road"] == "multipart":
        multipart(s3, job["key"], body, rest)
    elif job["road"] == "uploader":
        s3.upload_fileobj(io.BytesIO(body), BUCKET, job["key"], multipart_chunksize=PART_BYTES, **rest)
    else:
        raise NotImplementedError(job["road"])
    return {}


def get(job):
    s3 = client(job["format"], job.get("legacy", False))
    wanted = {"Range": job["range"]} if "range" in job else {}
    answer = s3.get_object(Bucket=BUCKET, Key=job["key"], **wanted, **context_of(job))
    body = answer["Body"].read()
    return {
        "bytes": len(body),
        "sha256": hashlib.sha256(body).hexdigest(),
        "contentLength": answer["ContentLength"],
        "contentRange": answer.get("ContentRange"),
        "metadata": {name: value for name, value in answer["Metadata"].items() if not name.startswith("x-amz-")},
    }


def head(job):
    return {"contentLength": client("V3", False).head_object(Bucket=BUCKET, Key=job["key"])["ContentLength"]}


def timed(job):
    s3 = plain_client() if job["client"] == "plain" else client("V3", False)
    body = body_of(job["body"]["seed"], job["body"]["bytes"])

    def call():
        if job["what"] == "put":
            s3.put_object(Bucket=BUCKET, Key=job["key"], Body=body)
        elif len(s3.get_object(Bucket=BUCKET, Key=job["key"])["Body"].read()) != len(body):
            raise ValueError("another body")

    seconds = []
    for _ in range(job["calls"]):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return {"seconds": seconds}


def reasons(error):
    while error is not None:
        yield f"{type(error).__name__}: {error}"
        error = error.__cause__


JOBS = {"put": put, "get": get, "head": head, "time": timed}

for line in sys.stdin:
    job = json.loads(line)
    try:
        answer = {"ok": JOBS[job["do"]](job)}
    except Exception as error:
        answer = {"error": type(error).__name__, "message": " <- ".join(reasons(error))}
    print(json.dumps(answer), flush=True)
