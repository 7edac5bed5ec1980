/**
 * With aws-sdk-client-mock: fast, and good for the code that USES a client. The mock replaces `send`, so no
 * middleware runs and nothing of the policy is tested; for that, see the simulator beside it.
 */
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { mockClient } from "aws-sdk-client-mock";
import { expect, it } from "vitest";
import { uploadReport } from "./upload-report.ts";

it("a report is put under its day", async () => {
  const s3 = mockClient(S3Client);
  s3.on(PutObjectCommand).resolves({});

  const key = await uploadReport(new S3Client({}), "2026-11-25", "all is well");

  expect(key).toBe("reports/2026-11-25.txt");
  expect(s3.commandCalls(PutObjectCommand)[0]?.args[0].input).toMatchObject({
    Bucket: "acme-lake-raw",
    ServerSideEncryption: "aws:kms",
  });
});
