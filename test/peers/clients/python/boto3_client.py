"""Does one order with boto3: ROAD BUCKET KMS-KEY|- FLAG|-, then KEY FROM TO for each object."""

import sys

import boto3
from botocore.config import Config

PART_BYTES = 5 * 1024 * 1024

road, bucket, kms_key, flag, *paths = sys.argv[1:]
objects = list(zip(*[iter(paths)] * 3))
# The presigners of boto3 would sign with version 2.
s3 = boto3.client("s3", config=Config(signature_version="s3v4"))

names_key = {} if kms_key == "-" else {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key}
encryption = names_key if flag == "-" else {**names_key, "BucketKeyEnabled": True}


def say(operation, answer):
    words = [answer.get("ServerSideEncryption"), answer.get("SSEKMSKeyId")]
    if "BucketKeyEnabled" in answer:
        words.append(str(answer["BucketKeyEnabled"]).lower())
    print(operation, "said", *[word for word in words if word is not None])


def put(key, body, fields):
    with open(body, "rb") as file:
        return s3.put_object(Bucket=bucket, Key=key, Body=file, **fields)


def multipart(key, body):
    place = {"Bucket": bucket, "Key": key}
    created = s3.create_multipart_upload(**place, **encryption)
    place["UploadId"] = created["UploadId"]
    parts = []
    with open(body, "rb") as file:
        while part := file.read(PART_BYTES):
            number = len(parts) + 1
            answer = s3.upload_part(**place, PartNumber=number, Body=part)
            parts.append({"PartNumber": number, "ETag": answer["ETag"]})
    return s3.complete_multipart_upload(**place, MultipartUpload={"Parts": parts})


def copy(key, body):
    source = key + "-source"
    put(source, body, {})
    return s3.copy_object(Bucket=bucket, Key=key, CopySource={"Bucket": bucket, "Key": source}, **encryption)


def update(key, body):
    answer = put(key, body, names_key)
    s3.update_object_encryption(
        Bucket=bucket,
        Key=key,
        ObjectEncryption={"SSEKMS": {"KMSKeyArn": kms_key, "BucketKeyEnabled": flag != "-"}},
    )
    return answer


def read(key, to):
    answer = s3.get_object(Bucket=bucket, Key=key)
    say("get", answer)
    with open(to, "wb") as file:
        file.write(answer["Body"].read())


def sign(what, key, fields):
    url = s3.generate_presigned_url(f"{what}_object", {"Bucket": bucket, "Key": key, **fields})
    print("signed", what, url)


WRITES = {
    "put": lambda key, body: put(key, body, encryption),
    "multipart": multipart,
    "presigned-read": lambda key, body: put(key, body, encryption),
    "copy": copy,
    "update": update,
}

for key, body, to in objects:
    if road == "presigned":
        sign("put", key, encryption)
    else:
        say("put", WRITES[road](key, body))
    if road.startswith("presigned"):
        sign("get", key, {})
    else:
        read(key, to)
