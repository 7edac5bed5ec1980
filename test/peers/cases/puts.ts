/** Writes that one request carries: what the plugin makes of them, and what it leaves alone. */
import { HeadObjectCommand } from "@aws-sdk/client-s3";
import type { KmsKeys } from "../peer.ts";
import { TEXT } from "../session.ts";
import type { Case, Cases } from "./case.ts";
import { compliant, GET, HEAD, honoured, PUT, RIGHT, times } from "./lines.ts";
import { flagOnly, lake, named } from "./wears.ts";

const CONCURRENT = 20;
const REFUSED = { ServerSideEncryption: "AES256" } as const;

const MANY_AT_ONCE: Pick<Case, "anyOrder" | "wears" | "run" | "aws"> = {
  anyOrder: true,
  wears: lake(),
  async run(s) {
    const numbers = Array.from({ length: CONCURRENT }, (_, i) => i);
    await Promise.all(
      numbers.map((i) => s.put({ Key: `${s.key}/${i}`, Body: `${i}`, ...mixed(s.kmsKeys, i) })),
    );
    for (const i of numbers.filter((number) => mixed(s.kmsKeys, number) !== REFUSED)) {
      await s.get(`${i}`, { Key: `${s.key}/${i}` });
    }
    s.sort();
  },
  aws: [
    ...times(15, GET),
    ...times(15, PUT),
    ...times(5, "refused by lake: refused-key"),
    ...times(15, RIGHT),
    ...times(5, "decided: PutObject set"),
    ...times(5, "decided: PutObject completed"),
    ...times(5, "decided: PutObject overridden"),
    ...times(5, "decided: PutObject refused-key"),
    ...times(15, honoured("PutObject")),
    ...times(15, compliant("GetObject")),
  ],
};

export const PUTS = {
  "put-silent": {
    does: "completes a put that names no encryption",
    smoke: true,
    wears: lake(),
    async run(s) {
      await s.put();
      await s.head();
      await s.get(TEXT);
    },
    aws: [
      PUT,
      HEAD,
      GET,
      RIGHT,
      "decided: PutObject completed",
      honoured("PutObject"),
      compliant("GetObject"),
      compliant("HeadObject"),
    ],
  },
  "put-named": {
    does: "gives the flag to a put that names aws:kms and the rule's key",
    smoke: true,
    wears: lake(),
    async run(s) {
      await s.put(named(s.kmsKeys));
      await s.head();
    },
    aws: [PUT, HEAD, "decided: PutObject set", honoured("PutObject"), compliant("HeadObject")],
  },
  "put-without-policy": {
    does: "gives the flag to a put that names aws:kms without any policy",
    wears: flagOnly,
    async run(s) {
      await s.put(named(s.kmsKeys));
      await s.put({ Key: `${s.key}-silent` });
    },
    aws: [
      PUT,
      "PutObject -> 200 AES256",
      "decided: PutObject set",
      "decided: PutObject unenforced",
      honoured("PutObject"),
      "judged: PutObject not-applicable, not-applicable",
    ],
  },
  "put-managed": {
    does: "gives the flag to a put that says aws:kms without a key and without any policy",
    wears: flagOnly,
    async run(s) {
      await s.put({ ServerSideEncryption: "aws:kms" });
      await s.get(TEXT);
    },
    aws: [
      "PutObject aws:kms true -> 200 aws:kms a key of its own true",
      "GetObject -> 200 aws:kms a key of its own true",
      RIGHT,
      "decided: PutObject set",
      honoured("PutObject"),
      compliant("GetObject"),
    ],
  },
  "put-key-less": {
    does: "names the rule's key where a put says aws:kms without one",
    wears: lake(),
    async run(s) {
      await s.put({ ServerSideEncryption: "aws:kms" });
      await s.head();
    },
    aws: [PUT, HEAD, "decided: PutObject completed", honoured("PutObject"), compliant("HeadObject")],
  },
  "put-false": {
    does: "overrides a caller's false",
    smoke: true,
    wears: lake(),
    async run(s) {
      await s.put({ ...named(s.kmsKeys), BucketKeyEnabled: false });
      await s.head();
    },
    aws: [PUT, HEAD, "decided: PutObject overridden", honoured("PutObject"), compliant("HeadObject")],
  },
  "put-true": {
    does: "lets a put pass that says it all",
    wears: lake(),
    async run(s) {
      await s.put({ ...named(s.kmsKeys), BucketKeyEnabled: true });
    },
    aws: [PUT, "decided: PutObject already-set", honoured("PutObject")],
  },
  "put-off": {
    does: "writes false where a rule wants objects without a bucket key",
    wears: lake({ bucketKey: "off" }),
    async run(s) {
      await s.put();
      await s.head();
    },
    aws: [
      "PutObject aws:kms rule false -> 200 aws:kms rule",
      "HeadObject -> 200 aws:kms rule",
      "decided: PutObject completed",
      "judged: PutObject disabled, honoured",
      "judged: HeadObject disabled, compliant",
    ],
  },
  "put-refused-key": {
    does: "refuses another key, and nothing reaches the server",
    smoke: true,
    wears: lake(),
    async run(s) {
      await s.put({ ServerSideEncryption: "aws:kms", SSEKMSKeyId: s.kmsKeys.other });
      await s.head();
    },
    aws: [
      "refused by lake: refused-key",
      "HeadObject -> 404",
      "throws NotFound",
      "decided: PutObject refused-key",
    ],
  },
  "put-refused-aes256": {
    does: "refuses AES256 under a rule with a key, and nothing reaches the server",
    smoke: true,
    wears: lake(),
    async run(s) {
      await s.put({ ServerSideEncryption: "AES256" });
      await s.head();
    },
    aws: [
      "refused by lake: refused-key",
      "HeadObject -> 404",
      "throws NotFound",
      "decided: PutObject refused-key",
    ],
  },
  "put-kept-key": {
    does: "keeps another key where the rule says so, with a bucket key under it",
    wears: lake({ onKeyConflict: "keep-caller" }),
    async run(s) {
      await s.put({ ServerSideEncryption: "aws:kms", SSEKMSKeyId: s.kmsKeys.other });
      await s.get(TEXT);
    },
    aws: [
      "PutObject aws:kms other true -> 200 aws:kms other true",
      "GetObject -> 200 aws:kms other true",
      RIGHT,
      "decided: PutObject set",
      honoured("PutObject"),
      "judged: GetObject enabled, noncompliant",
      "note: kept-key",
    ],
  },
  "put-denied": {
    does: "passes on the denial of a key that it wrote, and counts it",
    wears: (keys) => lake({ kmsKey: keys.missing })(keys),
    async run(s) {
      await s.put();
    },
    aws: [
      "PutObject aws:kms missing true -> 400",
      "throws KMS.NotFoundException",
      "decided: PutObject completed",
      "judged: PutObject unknown, unverified",
      "error: KMS.NotFoundException (amended)",
    ],
  },
  audit: {
    does: "changes nothing in audit, and counts what it would do",
    smoke: true,
    wears: lake({ mode: "audit" }),
    async run(s) {
      await s.put(named(s.kmsKeys));
      await s.put({ Key: `${s.key}-silent` });
      await s.get(TEXT);
    },
    aws: [
      "PutObject aws:kms rule -> 200 aws:kms rule",
      "PutObject -> 200 AES256",
      "GetObject -> 200 aws:kms rule",
      RIGHT,
      "decided: PutObject set (audit)",
      "decided: PutObject completed (audit)",
      "judged: PutObject disabled, noncompliant",
      "judged: PutObject not-applicable, noncompliant",
      "judged: GetObject disabled, noncompliant",
    ],
  },
  "audit-refusal": {
    does: "refuses nothing in audit",
    smoke: true,
    wears: lake({ mode: "audit" }),
    async run(s) {
      await s.put({ ServerSideEncryption: "AES256" });
      await s.get(TEXT);
    },
    aws: [
      "PutObject AES256 -> 200 AES256",
      "GetObject -> 200 AES256",
      RIGHT,
      "decided: PutObject refused-key (audit)",
      "judged: PutObject not-applicable, noncompliant",
      "judged: GetObject not-applicable, noncompliant",
    ],
  },
  "keeps-the-rest": {
    does: "keeps everything else of a put as the caller wrote it",
    wears: lake(),
    async run(s) {
      const rest = { ContentType: "text/x-odd", CacheControl: "max-age=7", Metadata: { owner: "a team" } };
      await s.put({ ...rest, Tagging: "cost=lake" });
      await s.attempt(async () => {
        const { ContentType, CacheControl, Metadata } = await s.s3.send(
          new HeadObjectCommand({ Bucket: s.bucket, Key: s.key }),
        );
        s.say(JSON.stringify({ ContentType, CacheControl, Metadata }));
      });
    },
    aws: [
      PUT,
      HEAD,
      '{"ContentType":"text/x-odd","CacheControl":"max-age=7","Metadata":{"owner":"a team"}}',
      "decided: PutObject completed",
      honoured("PutObject"),
      compliant("HeadObject"),
    ],
  },
  concurrent: {
    does: "keeps concurrent writes apart",
    smoke: true,
    ...MANY_AT_ONCE,
  },
  "concurrent-cached": {
    does: "keeps concurrent writes apart on a client that caches its middleware",
    client: { cacheMiddleware: true },
    ...MANY_AT_ONCE,
  },
} satisfies Cases;

/** Silent, named, named with false, refused, in turn. */
function mixed(keys: KmsKeys, i: number): object {
  return [{}, named(keys), { ...named(keys), BucketKeyEnabled: false }, REFUSED][i % 4] ?? {};
}
