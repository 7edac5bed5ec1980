/** Puts by somebody who has only a URL. */
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { type Session, TEXT } from "../session.ts";
import { encryptionOf, exchangeLine } from "../wire-log.ts";
import type { Cases } from "./case.ts";
import { compliant, GET, RIGHT, STATE } from "./lines.ts";
import { lake } from "./wears.ts";

export const PRESIGNED = {
  "presigned-skipped": {
    does: "leaves a presigned put as it is",
    wears: lake(),
    client: { requestChecksumCalculation: "WHEN_REQUIRED" },
    async run(s) {
      const url = await getSignedUrl(s.s3, new PutObjectCommand({ Bucket: s.bucket, Key: s.key }));
      await putTo(s, url, {});
      await s.get(TEXT);
    },
    aws: [
      "presigned PUT -> 200 AES256",
      "GetObject -> 200 AES256",
      RIGHT,
      "decided: PutObject presigned",
      "judged: GetObject not-applicable, noncompliant",
    ],
  },
  "presigned-header": {
    does: "binds the uploader of a presigned put where the rule says so",
    wears: lake({ presigned: "header" }),
    client: { requestChecksumCalculation: "WHEN_REQUIRED" },
    async run(s) {
      const command = new PutObjectCommand({ Bucket: s.bucket, Key: s.key });
      const sse = "x-amz-server-side-encryption";
      const headers = {
        [sse]: "aws:kms",
        [`${sse}-aws-kms-key-id`]: s.kmsKeys.rule,
        [`${sse}-bucket-key-enabled`]: "true",
      };
      const url = await getSignedUrl(s.s3, command, { unhoistableHeaders: new Set(Object.keys(headers)) });
      await putTo(s, url, {});
      await putTo(s, url, headers);
      await s.get(TEXT);
    },
    aws: [
      "presigned PUT -> 403",
      `presigned PUT ${STATE} -> 200 ${STATE}`,
      GET,
      RIGHT,
      "decided: PutObject completed",
      compliant("GetObject"),
    ],
  },
} satisfies Cases;

/** A PUT of `TEXT` by somebody who has only the URL. */
async function putTo(s: Session, url: string, headers: Readonly<Record<string, string>>): Promise<void> {
  const response = await fetch(url, { method: "PUT", body: TEXT, headers });
  await response.arrayBuffer();
  const answered = encryptionOf(Object.fromEntries(response.headers), s.keyNames);
  const asked = encryptionOf(headers, s.keyNames);
  s.say(exchangeLine("presigned PUT", asked, response.status, answered));
}
