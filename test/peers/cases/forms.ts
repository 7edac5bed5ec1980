/** Uploads by browser forms, which no middleware sees: the policy is in the form's options. */
import { createPresignedPost } from "@aws-sdk/s3-presigned-post";
import { bucketKeyPostOptions, type Policy } from "../../../src/index.ts";
import { type Session, TEXT } from "../session.ts";
import { encryptionOf, exchangeLine } from "../wire-log.ts";
import type { Cases } from "./case.ts";
import { compliant, GET, RIGHT, STATE } from "./lines.ts";
import { lake } from "./wears.ts";

const FLAG = "x-amz-server-side-encryption-bucket-key-enabled";

export const FORMS = {
  form: {
    does: "completes a form with algorithm, key and flag",
    wears: lake(),
    async run(s) {
      await post(s, {});
      await s.get(TEXT);
    },
    aws: [`form ${STATE} -> 204 ${STATE}`, GET, RIGHT, compliant("GetObject")],
  },
  "form-tampered": {
    does: "has the form's own policy refuse a flag that somebody changed",
    wears: lake(),
    async run(s) {
      await post(s, { [FLAG]: "false" });
      await s.get(TEXT);
    },
    aws: ["form aws:kms rule false -> 403", "GetObject -> 404", "throws NoSuchKey"],
  },
} satisfies Cases;

/** Posts `TEXT` with the fields that the policy led to, but for those that somebody changed. */
async function post(s: Session, changed: Readonly<Record<string, string>>): Promise<void> {
  const { policy } = lake()(s.kmsKeys);
  const options = bucketKeyPostOptions(policy as Policy, { Bucket: s.bucket, Key: s.key });
  const { url, fields } = await createPresignedPost(s.plain, options);
  const sent = { ...fields, ...changed };
  const form = new FormData();
  for (const [name, value] of Object.entries(sent)) form.append(name, value);
  form.append("file", new Blob([TEXT]));
  const response = await fetch(url, { method: "POST", body: form });
  await response.arrayBuffer();
  const answered = encryptionOf(Object.fromEntries(response.headers), s.keyNames);
  s.say(exchangeLine("form", encryptionOf(sent, s.keyNames), response.status, answered));
}
