import { describe, expect, it } from "vitest";
import { bucketTypeOf, parseArn, parseKmsKeyName } from "../src/arn.ts";

describe("the kind of a bucket", () => {
  it.each([
    ["my-bucket", "general-purpose"],
    ["my.bucket", "general-purpose"],
    ["", "general-purpose"],
    ["data--use1-az4--x-s3", "directory"],
    ["ap--use1-az4--xa-s3", "directory"],
    ["my-ap-abc123-s3alias", "access-point"],
    ["my-olap-abc123--ol-s3", "object-lambda"],
    ["ap-abc123--op-s3", "outposts"],
    ["arn:aws:s3:eu-west-1:111122223333:accesspoint/ap", "access-point"],
    ["arn:aws-cn:s3:cn-north-1:111122223333:accesspoint/ap", "access-point"],
    ["arn:aws:s3::111122223333:accesspoint/x.mrap", "access-point"],
    ["arn:aws:s3express:us-east-1:111122223333:bucket/b--use1-az4--x-s3", "directory"],
    ["arn:aws:s3express:us-east-1:111122223333:accesspoint/ap", "directory"],
    ["arn:aws:s3-outposts:us-west-2:111122223333:outpost/op-1/accesspoint/ap", "outposts"],
    ["arn:aws:s3-object-lambda:us-east-1:111122223333:accesspoint/ol", "object-lambda"],
    ["arn:aws:sqs:us-east-1:111122223333:q", "unknown"],
    ["https://my-endpoint.example/x", "unknown"],
    ["arn:garbage", "unknown"],
  ])("%s: %s", (bucket, type) => {
    expect(bucketTypeOf(bucket)).toBe(type);
  });
});

describe("a KMS key as a request names it", () => {
  const id = "1234abcd-12ab-34cd-56ef-1234567890ab";
  it.each([
    [id, { kind: "key", id }],
    [`arn:aws:kms:eu-west-1:111122223333:key/${id}`, { kind: "key", id }],
    [`key/${id}`, { kind: "key", id }],
    ["alias/lake", { kind: "alias", alias: "alias/lake", region: "", account: "" }],
    [
      "arn:aws:kms:eu-west-1:111122223333:alias/lake",
      { kind: "alias", alias: "alias/lake", region: "eu-west-1", account: "111122223333" },
    ],
    ["anything else", { kind: "key", id: "anything else" }],
  ])("%s", (text, name) => {
    expect(parseKmsKeyName(text)).toEqual(name);
  });
});

it("an ARN without a resource is none", () => {
  expect(parseArn("arn:aws:s3:::")).toBeUndefined();
  expect(parseArn("bucket")).toBeUndefined();
});
