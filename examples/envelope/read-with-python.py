"""Opens what examples/envelope/sealed-upload-and-download.ts sealed, with Amazon's own client for Python.

pip install amazon-s3-encryption-client-python==4.0.0
"""

import boto3
from s3_encryption import S3EncryptionClient, S3EncryptionClientConfig
from s3_encryption.materials.kms_keyring import KmsKeyring

KEY_ID = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"

keyring = KmsKeyring(boto3.client("kms"), KEY_ID)
s3 = S3EncryptionClient(boto3.client("s3"), S3EncryptionClientConfig(keyring=keyring))

answer = s3.get_object(Bucket="acme-vault", Key="letter.txt")
print("opened:", answer["Body"].read().decode())
