import { describe, expect, it } from "vitest";
import { responseFacts } from "../../src/observe/response-facts.ts";

const SSE = "x-amz-server-side-encryption";
const FLAG = `${SSE}-bucket-key-enabled`;
const KEY_ID = `${SSE}-aws-kms-key-id`;

const answer = (headers?: object): unknown => ({ statusCode: 200, ...(headers && { headers }) });

describe("the state that an answer shows", () => {
  it.each([
    ["true under aws:kms", { [SSE]: "aws:kms", [FLAG]: "true" }, "enabled"],
    ["TRUE, however it is written", { [SSE]: "aws:kms", [FLAG]: "TRUE" }, "enabled"],
    ["absent under aws:kms: S3 leaves the header out", { [SSE]: "aws:kms" }, "disabled"],
    ["false under aws:kms, as some servers say", { [SSE]: "aws:kms", [FLAG]: "false" }, "disabled"],
    ["garbage is neither", { [SSE]: "aws:kms", [FLAG]: "maybe" }, "unknown"],
    ["absent under AES256", { [SSE]: "AES256" }, "not-applicable"],
    ["absent under DSSE", { [SSE]: "aws:kms:dsse" }, "not-applicable"],
    ["absent under customer keys", { [`${SSE}-customer-algorithm`]: "AES256" }, "not-applicable"],
    ["an answer that names no encryption says nothing", {}, "unknown"],
    ["false without an algorithm says nothing", { [FLAG]: "false" }, "unknown"],
  ])("%s", (_what, headers, state) => {
    expect(responseFacts(answer(headers))?.state).toBe(state);
  });

  it("comes with algorithm and key", () => {
    expect(responseFacts(answer({ [SSE]: "aws:kms", [KEY_ID]: "arn" }))).toEqual({
      state: "disabled",
      sse: "aws:kms",
      kmsKey: "arn",
    });
    expect(responseFacts(answer({ [`${SSE}-customer-algorithm`]: "AES256" }))?.sse).toBe("SSE-C");
  });
});

describe("what is no answer", () => {
  it.each([
    ["the empty response of a presigned run", {}],
    ["nothing", undefined],
    ["null", null],
    ["a status that is no number", { statusCode: "200", headers: {} }],
  ])("%s", (_what, response) => {
    expect(responseFacts(response)).toBeUndefined();
  });

  it("an answer without headers is one that says nothing", () => {
    expect(responseFacts(answer())).toEqual({ state: "unknown", sse: "none", kmsKey: undefined });
    expect(responseFacts({ statusCode: 200, headers: null })?.sse).toBe("none");
  });
});
