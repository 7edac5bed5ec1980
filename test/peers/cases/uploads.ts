/** Objects that come in parts, by hand and by lib-storage. */
import { Readable } from "node:stream";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { type Session, TEXT } from "../session.ts";
import type { Cases } from "./case.ts";
import {
  COMPLETE,
  compliant,
  CREATE,
  GET,
  HEAD,
  honoured,
  PART_COPIED,
  PART_DONE,
  PUT,
  RIGHT,
  times,
} from "./lines.ts";
import { lake } from "./wears.ts";

const MEBIBYTE = 1024 * 1024;
/** The smallest part that may have a successor. */
const PART = Buffer.alloc(5 * MEBIBYTE, "a part ");
const LAST_PART = Buffer.from("the last part");
const WHOLE = Buffer.concat([PART, LAST_PART]);

export const UPLOADS = {
  multipart: {
    does: "completes the creation of a multipart upload, and observes its parts",
    smoke: true,
    wears: lake(),
    async run(s) {
      const place = await createUpload(s);
      const parts = [];
      for (const [i, Body] of [PART, LAST_PART].entries()) {
        const PartNumber = i + 1;
        const answer = await s.attempt(() =>
          s.s3.send(new UploadPartCommand({ ...place, PartNumber, Body })),
        );
        const { ETag, ChecksumCRC32 } = answer ?? {};
        parts.push({ PartNumber, ETag, ChecksumCRC32 });
      }
      await complete(s, place, parts);
      await s.head();
      await s.get(WHOLE);
    },
    aws: [
      CREATE,
      PART_DONE,
      PART_DONE,
      COMPLETE,
      HEAD,
      GET,
      RIGHT,
      "decided: CreateMultipartUpload completed",
      honoured("CreateMultipartUpload"),
      ...times(2, compliant("UploadPart")),
      compliant("CompleteMultipartUpload"),
      compliant("GetObject"),
      compliant("HeadObject"),
    ],
  },
  "upload-aborted": {
    does: "counts what was done of an upload that is given up",
    wears: lake(),
    async run(s) {
      const place = await createUpload(s);
      await s.attempt(() => s.s3.send(new UploadPartCommand({ ...place, PartNumber: 1, Body: LAST_PART })));
      await s.attempt(() => s.s3.send(new AbortMultipartUploadCommand(place)));
      await s.get(LAST_PART);
    },
    aws: [
      CREATE,
      PART_DONE,
      "AbortMultipartUpload -> 204",
      "GetObject -> 404",
      "throws NoSuchKey",
      "decided: CreateMultipartUpload completed",
      honoured("CreateMultipartUpload"),
      compliant("UploadPart"),
    ],
  },
  "part-copy": {
    does: "observes a part that is copied",
    wears: lake(),
    async run(s) {
      const source = `${s.key}-source`;
      await s.plain.send(new PutObjectCommand({ Bucket: s.bucket, Key: source, Body: TEXT }));
      const place = await createUpload(s);
      const input = { ...place, PartNumber: 1, CopySource: `${s.bucket}/${source}` };
      const answer = await s.attempt(() => s.s3.send(new UploadPartCopyCommand(input)));
      await complete(s, place, [{ PartNumber: 1, ETag: answer?.CopyPartResult?.ETag }]);
      await s.get(TEXT);
    },
    aws: [
      CREATE,
      PART_COPIED,
      COMPLETE,
      GET,
      RIGHT,
      "decided: CreateMultipartUpload completed",
      honoured("CreateMultipartUpload"),
      compliant("UploadPartCopy"),
      compliant("CompleteMultipartUpload"),
      compliant("GetObject"),
    ],
  },
  "upload-small": {
    does: "completes an Upload of lib-storage that fits in one put",
    smoke: true,
    wears: lake(),
    async run(s) {
      await upload(s, TEXT);
      await s.get(TEXT);
    },
    aws: [PUT, GET, RIGHT, "decided: PutObject completed", honoured("PutObject"), compliant("GetObject")],
  },
  "upload-large": {
    does: "completes an Upload of lib-storage that takes parts",
    wears: lake(),
    async run(s) {
      await upload(s, WHOLE);
      await s.get(WHOLE);
    },
    aws: [
      CREATE,
      PART_DONE,
      PART_DONE,
      COMPLETE,
      GET,
      RIGHT,
      "decided: CreateMultipartUpload completed",
      honoured("CreateMultipartUpload"),
      ...times(2, compliant("UploadPart")),
      compliant("CompleteMultipartUpload"),
      compliant("GetObject"),
    ],
  },
  "upload-stream": {
    does: "completes an Upload of lib-storage of a stream of unknown length",
    wears: lake(),
    async run(s) {
      await upload(s, Readable.from([PART, LAST_PART]));
      await s.get(WHOLE);
    },
    aws: [
      CREATE,
      PART_DONE,
      PART_DONE,
      COMPLETE,
      GET,
      RIGHT,
      "decided: CreateMultipartUpload completed",
      honoured("CreateMultipartUpload"),
      ...times(2, compliant("UploadPart")),
      compliant("CompleteMultipartUpload"),
      compliant("GetObject"),
    ],
  },
} satisfies Cases;

async function upload(s: Session, Body: NonNullable<PutObjectCommandInput["Body"]>): Promise<void> {
  const params = { Bucket: s.bucket, Key: s.key, Body };
  await s.attempt(() => new Upload({ client: s.s3, params }).done());
}

type Place = Readonly<{ Bucket: string; Key: string; UploadId: string | undefined }>;

async function createUpload(s: Session): Promise<Place> {
  const place = { Bucket: s.bucket, Key: s.key };
  const ChecksumAlgorithm = "CRC32";
  const created = await s.attempt(() =>
    s.s3.send(new CreateMultipartUploadCommand({ ...place, ChecksumAlgorithm })),
  );
  return { ...place, UploadId: created?.UploadId };
}

async function complete(s: Session, place: Place, Parts: object[]): Promise<void> {
  await s.attempt(() =>
    s.s3.send(new CompleteMultipartUploadCommand({ ...place, MultipartUpload: { Parts } })),
  );
}
