/** Objects that are there already: copies, and the change of an object's encryption in place. */
import {
  CopyObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  UpdateObjectEncryptionCommand,
} from "@aws-sdk/client-s3";
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
      await prepare(s, { Bucket: s.bucket, Key: `${s.key}-source` });
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
      await prepare(s, { ...source, ...other });
      await copy(s, source.Key);
      await s.get(TEXT);
    },
    aws: [COPY, GET, RIGHT, "decided: CopyObject completed", honoured("CopyObject"), compliant("GetObject")],
  },
  "copy-in-place": {
    does: "gives an object a bucket key by a copy onto itself",
    wears: lake(),
    async run(s) {
      await prepare(s, { Bucket: s.bucket, Key: s.key, ...named(s.kmsKeys) });
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
      await prepare(s, { Bucket: s.bucket, Key: s.key, ...named(s.kmsKeys) });
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

/** The object that is there already; a line says so where the server does not take it. */
async function prepare(s: Session, input: Omit<PutObjectCommandInput, "Body">): Promise<void> {
  await s.attempt(() => s.plain.send(new PutObjectCommand({ ...input, Body: TEXT })));
}

async function copy(s: Session, source: string): Promise<void> {
  const CopySource = `${s.bucket}/${encodeURIComponent(source)}`;
  await s.attempt(() => s.s3.send(new CopyObjectCommand({ Bucket: s.bucket, Key: s.key, CopySource })));
}
