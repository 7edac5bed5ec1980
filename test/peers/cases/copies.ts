/** Objects that are there already: copies, and the change of an object's encryption in place. */
import { CopyObjectCommand, PutObjectCommand, UpdateObjectEncryptionCommand } from "@aws-sdk/client-s3";
import { type Session, TEXT } from "../session.ts";
import type { Cases } from "./case.ts";
import { compliant, COPY, GET, honoured, RIGHT } from "./lines.ts";
import { lake, named } from "./wears.ts";

export const COPIES = {
  "copy-plain": {
    does: "completes a copy of an object that is not encrypted with KMS",
    smoke: true,
    wears: lake(),
    async run(s) {
      await s.plain.send(new PutObjectCommand({ Bucket: s.bucket, Key: `${s.key}-source`, Body: TEXT }));
      await copy(s, `${s.key}-source`);
      await s.get(TEXT);
    },
    aws: [COPY, GET, RIGHT, "decided: CopyObject completed", honoured("CopyObject"), compliant("GetObject")],
  },
  "copy-encrypted": {
    does: "completes a copy of an object under another key",
    wears: lake(),
    async run(s) {
      const source = { Bucket: s.bucket, Key: `${s.key}-source é+` };
      const other = { ServerSideEncryption: "aws:kms", SSEKMSKeyId: s.kmsKeys.other } as const;
      await s.plain.send(new PutObjectCommand({ ...source, Body: TEXT, ...other }));
      await copy(s, source.Key);
      await s.get(TEXT);
    },
    aws: [COPY, GET, RIGHT, "decided: CopyObject completed", honoured("CopyObject"), compliant("GetObject")],
  },
  "copy-in-place": {
    does: "gives an object a bucket key by a copy onto itself",
    wears: lake(),
    async run(s) {
      await s.plain.send(
        new PutObjectCommand({ Bucket: s.bucket, Key: s.key, Body: TEXT, ...named(s.kmsKeys) }),
      );
      await copy(s, s.key);
      await s.get(TEXT);
    },
    aws: [COPY, GET, RIGHT, "decided: CopyObject completed", honoured("CopyObject"), compliant("GetObject")],
  },
  "update-encryption": {
    does: "gives an existing object a bucket key with UpdateObjectEncryption",
    wears: lake(),
    async run(s) {
      // An object that may be lost: servers that do not know the operation overwrite it.
      await s.plain.send(
        new PutObjectCommand({ Bucket: s.bucket, Key: s.key, Body: TEXT, ...named(s.kmsKeys) }),
      );
      const ObjectEncryption = { SSEKMS: { KMSKeyArn: s.kmsKeys.rule } };
      await s.attempt(() =>
        s.s3.send(new UpdateObjectEncryptionCommand({ Bucket: s.bucket, Key: s.key, ObjectEncryption })),
      );
      await s.get(TEXT);
    },
    aws: [
      "UpdateObjectEncryption -> 200",
      GET,
      RIGHT,
      "decided: UpdateObjectEncryption overridden",
      "judged: UpdateObjectEncryption unknown, unverified",
      compliant("GetObject"),
    ],
  },
} satisfies Cases;

async function copy(s: Session, source: string): Promise<void> {
  const CopySource = `${s.bucket}/${encodeURIComponent(source)}`;
  await s.attempt(() => s.s3.send(new CopyObjectCommand({ Bucket: s.bucket, Key: s.key, CopySource })));
}
