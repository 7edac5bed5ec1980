import { describe, expect, it } from "vitest";
import { sourceOf } from "../../src/envelope/copy-source.ts";

describe("the source of a copy", () => {
  it.each<[string, ReturnType<typeof sourceOf>]>([
    ["bucket/key", { Bucket: "bucket", Key: "key" }],
    ["/bucket/key", { Bucket: "bucket", Key: "key" }],
    ["bucket/a/b%20c", { Bucket: "bucket", Key: "a/b c" }],
    ["bucket%2Fkey", { Bucket: "bucket", Key: "key" }],
    ["bucket/100%", { Bucket: "bucket", Key: "100%" }],
    ["bucket//key", { Bucket: "bucket", Key: "/key" }],
    ["bucket/new\nline", { Bucket: "bucket", Key: "new\nline" }],
    ["bucket/key?versionId=v%2F1", { Bucket: "bucket", Key: "key", VersionId: "v%2F1" }],
    ["bucket/what%3Fis", { Bucket: "bucket", Key: "what?is" }],
    [
      "arn:aws:s3:eu-west-1:111122223333:accesspoint/ap/object/a/object/b",
      { Bucket: "arn:aws:s3:eu-west-1:111122223333:accesspoint/ap", Key: "a/object/b" },
    ],
    [
      "arn%3Aaws%3As3%3Aeu-west-1%3A111122223333%3Aaccesspoint%2Fap%2Fobject%2Fkey?versionId=v",
      { Bucket: "arn:aws:s3:eu-west-1:111122223333:accesspoint/ap", Key: "key", VersionId: "v" },
    ],
    ["arn:aws:s3:eu-west-1:111122223333:accesspoint/ap", undefined],
    ["bucket", undefined],
    ["bucket/", undefined],
    ["/", undefined],
    ["", undefined],
    ["//key", undefined],
    ["?versionId=v", undefined],
    ["?versionId=a/b", undefined],
  ])("%j", (CopySource, source) => {
    expect(sourceOf({ operation: "CopyObject", input: { Bucket: "other", Key: "x", CopySource } })).toEqual(
      source,
    );
    expect(sourceOf({ operation: "UploadPartCopy", input: { CopySource } })).toEqual(source);
  });

  it.each<[string, unknown, ReturnType<typeof sourceOf>]>([
    ["a key", "a/b%20c", { Bucket: "bucket", Key: "a/b c" }],
    ["a key behind a slash", "/a", { Bucket: "bucket", Key: "a" }],
    ["nothing", "", undefined],
    ["no text", 5, undefined],
  ])("is, for a rename, in the same bucket: %s", (_, RenameSource, source) => {
    const input = { Bucket: "bucket", Key: "x", RenameSource };
    expect(sourceOf({ operation: "RenameObject", input })).toEqual(source);
    expect(sourceOf({ operation: "RenameObject", input: { RenameSource } })).toBeUndefined();
  });

  it("is the object itself for a query, and none where there is none", () => {
    expect(sourceOf({ operation: "SelectObjectContent", input: { Bucket: "bucket", Key: "k" } })).toEqual({
      Bucket: "bucket",
      Key: "k",
    });
    expect(sourceOf({ operation: "WriteGetObjectResponse", input: {} })).toBeUndefined();
    expect(sourceOf({ operation: "SelectObjectContent", input: { Bucket: "bucket" } })).toBeUndefined();
    expect(sourceOf({ operation: "SelectObjectContent", input: { Key: "k" } })).toBeUndefined();
  });
});
