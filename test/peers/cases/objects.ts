/** Keys, bodies and answers that are out of the ordinary. */
import { Readable } from "node:stream";
import { type Session, TEXT } from "../session.ts";
import type { Cases } from "./case.ts";
import { compliant, GET, honoured, PUT, RIGHT, STATE, times } from "./lines.ts";
import { lake } from "./wears.ts";

/** Above the 2 MiB from which the SDK asks with `Expect: 100-continue`. */
const LARGE = Buffer.alloc(3 * 1024 * 1024, "large ");
const ODD_KEYS = [
  "with space",
  "plus+plus",
  "percent%25 100%",
  "ünïcödé/€/日本語",
  "emoji 🪣",
  "quotes'\"&<>",
  "a=b?c#d",
  "(1)!*~;:@,$",
];

export const OBJECTS = {
  "odd-keys": {
    does: "reaches objects with odd keys",
    wears: lake(),
    async run(s) {
      for (const odd of ODD_KEYS) {
        const Key = `${s.key}/${odd}`;
        await s.put({ Key, Body: odd });
        await s.get(odd, { Key });
      }
    },
    aws: [
      ...ODD_KEYS.flatMap(() => [PUT, GET, RIGHT]),
      ...times(ODD_KEYS.length, "decided: PutObject completed"),
      ...times(ODD_KEYS.length, honoured("PutObject")),
      ...times(ODD_KEYS.length, compliant("GetObject")),
    ],
  },
  "empty-body": {
    does: "completes a put of nothing",
    wears: lake(),
    async run(s) {
      await s.put({ Body: "" });
      await s.get("");
    },
    aws: [PUT, GET, RIGHT, "decided: PutObject completed", honoured("PutObject"), compliant("GetObject")],
  },
  "large-body": {
    does: "completes a put that waits for 100 Continue before it sends its body",
    wears: lake(),
    async run(s) {
      await s.put({ Body: LARGE });
      await s.get(LARGE);
    },
    aws: [PUT, GET, RIGHT, "decided: PutObject completed", honoured("PutObject"), compliant("GetObject")],
  },
  "stream-body": {
    does: "completes a put of a stream, checksum in the trailer",
    wears: lake(),
    async run(s) {
      await putStream(s);
      await s.get(TEXT);
    },
    aws: [PUT, GET, RIGHT, "decided: PutObject completed", honoured("PutObject"), compliant("GetObject")],
  },
  "stream-body-without-checksum": {
    does: "completes a put of a stream without a checksum",
    smoke: true,
    wears: lake(),
    client: { requestChecksumCalculation: "WHEN_REQUIRED" },
    async run(s) {
      await putStream(s);
      await s.get(TEXT);
    },
    aws: [PUT, GET, RIGHT, "decided: PutObject completed", honoured("PutObject"), compliant("GetObject")],
  },
  range: {
    does: "leaves a read of a range as it is",
    smoke: true,
    wears: lake(),
    async run(s) {
      await s.put();
      await s.get(TEXT.slice(4, 9), { Range: "bytes=4-8" });
    },
    aws: [
      PUT,
      `GetObject -> 206 ${STATE}`,
      RIGHT,
      "decided: PutObject completed",
      honoured("PutObject"),
      compliant("GetObject"),
    ],
  },
  "nothing-there": {
    does: "passes on that an object is not there, and counts nothing",
    smoke: true,
    wears: lake(),
    async run(s) {
      await s.get(TEXT);
      await s.head();
    },
    aws: ["GetObject -> 404", "throws NoSuchKey", "HeadObject -> 404", "throws NotFound"],
  },
  "wrong-secret": {
    does: "passes on that a signature is wrong",
    wears: lake(),
    client: { credentials: { accessKeyId: "test", secretAccessKey: "not the secret" } },
    async run(s) {
      await s.put();
    },
    aws: [
      `PutObject ${STATE} -> 403`,
      "throws SignatureDoesNotMatch",
      "decided: PutObject completed",
      "judged: PutObject unknown, unverified",
    ],
  },
} satisfies Cases;

async function putStream(s: Session): Promise<void> {
  await s.put({ Body: Readable.from([Buffer.from(TEXT)]), ContentLength: Buffer.byteLength(TEXT) });
}
