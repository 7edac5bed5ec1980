/** Checked by the compiler alone: forms and presigned URLs take the SDK's own objects, without its types being ours. */
import type { GetObjectCommand, PutObjectCommand, S3, S3Client } from "@aws-sdk/client-s3";
import type { createPresignedPost, PresignedPostOptions } from "@aws-sdk/s3-presigned-post";
import type { NodeJsClient } from "@smithy/types";
import { bucketDefaultsFrom } from "../../src/bucket-defaults/index.ts";
import {
  bucketKeyPostOptions,
  bucketKeys,
  readPostAnswer,
  type Policy,
  type PolicySource,
} from "../../src/index.ts";
import { presignedUrl } from "../../src/presigned/index.ts";

declare const client: S3Client;
declare const aggregated: S3;
declare const narrowed: NodeJsClient<S3Client>;
declare const put: PutObjectCommand;
declare const get: GetObjectCommand;

// Every client and command that a user can hold.
await presignedUrl(client, put);
await presignedUrl(aggregated, get, { expiresIn: 60 });
await presignedUrl(narrowed, put, { signableHeaders: new Set(["content-type"]) });
// @ts-expect-error A header in the query is one that S3 ignores, so it can't be moved there.
await presignedUrl(client, put, { hoistableHeaders: new Set(["x-amz-server-side-encryption"]) });
// @ts-expect-error A command's input isn't a command.
await presignedUrl(client, { Bucket: "b", Key: "k" });

for (const each of [client, aggregated, narrowed]) {
  bucketKeys({ bucketDefaults: bucketDefaultsFrom(each, { ttlSeconds: 60 }) });
}

// Written in the call, all that the SDK takes is checked as its own; kept in a variable, too.
declare const policy: Policy;
declare const loaded: PolicySource;
declare const presign: (options: Parameters<typeof createPresignedPost>[1]) => void;
presign(
  bucketKeyPostOptions(policy, {
    Bucket: "b",
    Key: "k",
    Fields: { acl: "private" },
    Conditions: [["content-length-range", 0, 10], ["eq", "$acl", "private"], { bucket: "b" }],
    Expires: 60,
  }),
);
declare const options: PresignedPostOptions;
presign(bucketKeyPostOptions(loaded, options, { now: new Date() }));
// @ts-expect-error A misspelt key.
bucketKeyPostOptions(policy, { Bucket: "b", key: "k" });

declare const fetched: Response;
readPostAnswer(fetched.headers).state satisfies string;
readPostAnswer({ "x-amz-server-side-encryption": "aws:kms" });
