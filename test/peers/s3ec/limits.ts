/** What the official clients can't do, or get wrong. Data: each line is asserted, and so is its being needed. */
import type { Difference, Differences } from "../differences/difference.ts";
import { THEIR_RANGES } from "./cases/details.ts";
import { OLD_FORMS } from "./cases/opens.ts";
import type { S3ecCaseId } from "./cases.ts";
import type { S3ecClientName } from "./client.ts";

export interface S3ecLimits extends Differences<S3ecCaseId> {
  /** Cases that the client has no call for. */
  readonly cannot: Readonly<Partial<Record<S3ecCaseId, string>>>;
}

const LENGTHS: Difference = {
  why: "HeadObject and GetObject give the length of what is stored, 16 bytes more.",
  instead: { "they say 1000 bytes": "they say 1016 bytes", "they get 1000 bytes": "they get 1016 bytes" },
};

/** The old forms that a client refuses. */
const refuses = (forms: RegExp): Difference["instead"] =>
  Object.fromEntries(
    OLD_FORMS.filter((name) => forms.test(name)).map((name) => [
      `the client reads ${name}`,
      `the client refuses ${name}`,
    ]),
  );
const REFUSED_RANGES: Difference["instead"] = Object.fromEntries(
  Object.values(THEIR_RANGES).map((line) => [line, "they refuse ranges"]),
);
const theirRange = (range: string, said: string): readonly [string, string] => [
  String(THEIR_RANGES[range]),
  `they give ${range} as ${said}`,
];

const WORDS =
  "Of RFC 2047 words in contexts it reads those of UTF-8 that was taken for Latin-1, as S3 makes them, and no others.";
const ASCII = "Encryption contexts have to be ASCII.";
const NO_FILES = "It writes no instruction files.";

export const S3EC_LIMITS: Readonly<Record<S3ecClientName, S3ecLimits>> = {
  "s3ec-python": {
    everywhere: [],
    cases: {
      "reads-unicode": { why: ASCII, instead: { "the client reads it": "the client refuses it" } },
      "opens-old": { why: ASCII, instead: refuses(/context in/) },
      lengths: LENGTHS,
      ranges: { why: "It refuses ranges.", instead: REFUSED_RANGES },
    },
    cannot: { "opens-instruction": NO_FILES },
  },
  "s3ec-java": {
    everywhere: [],
    cases: {
      "opens-old": { why: WORDS, instead: refuses(/RFC 2047 of the text/) },
      lengths: LENGTHS,
      ranges: {
        why:
          "Ranges need the switch for unauthenticated modes and are not verified; their length and Content-Range are " +
          "those of the ciphertext; a range that counts from the end gives the whole object.",
        instead: Object.fromEntries([
          theirRange("bytes=0-0", "bytes 0-32/1016, 33 bytes, right"),
          theirRange("bytes=10-25", "bytes 0-48/1016, 49 bytes, right"),
          theirRange("bytes=16-31", "bytes 0-48/1016, 49 bytes, right"),
          theirRange("bytes=990-", "bytes 960-1015/1016, 56 bytes, right"),
          theirRange("bytes=990-1015", "bytes 960-1015/1016, 56 bytes, right"),
          theirRange("bytes=-5", "no range, 1016 bytes, but 1000 came"),
          theirRange("bytes=-2000", "no range, 1016 bytes, right"),
        ]),
      },
      large: {
        why: "64 MiB and their tag are more than its buffer: it needs setBufferSize, or delayed authentication.",
        instead: { "the client reads 64 MiB": "the client refuses 64 MiB" },
      },
    },
    cannot: {},
  },
  "s3ec-go": {
    everywhere: [],
    cases: {
      "reads-context": {
        why: "An encryption context that is left out on reading is not missed.",
        instead: { "the client refuses it without the context": "the client reads it without the context" },
      },
      "opens-old": {
        why: `It reads no V1. ${WORDS}`,
        instead: refuses(/^V1|RFC 2047 of the text/),
      },
      lengths: LENGTHS,
      ranges: {
        why: "It fails on ranges, but for those that take in the whole object; their Content-Range is the ciphertext's.",
        instead: {
          ...REFUSED_RANGES,
          ...Object.fromEntries([theirRange("bytes=-2000", "bytes 0-1015/1016, 1016 bytes, right")]),
        },
      },
      stream: {
        why: "It panics on a stream that can't be read twice.",
        instead: { "theirs is sealed on the server": "they fail", "we read theirs": [] },
      },
      uploader: {
        why:
          "It takes the place of the SDK's client everywhere, and seals PutObject only: what the SDK's uploader sends " +
          "through it in parts is stored in the clear, without an error.",
        instead: {
          "theirs is sealed on the server": "theirs is NOT SEALED on the server",
          "we read theirs": "we refuse theirs: NotSealedError",
        },
      },
    },
    cannot: {
      "opens-instruction": NO_FILES,
      "opens-multipart":
        "It has no multipart uploads; through the SDK's own uploader, bodies go out in the clear.",
    },
  },
};
