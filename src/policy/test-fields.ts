/** What in-file tests take. They stay out of the main entry, which doesn't run them. */
import {
  POLICY,
  account,
  bucketType,
  fields,
  flag,
  isRealDate,
  list,
  mode,
  one,
  operation,
  text,
  writes,
  type FieldsShape,
  type TextShape,
} from "./fields.ts";
import {
  WHY_DECISION,
  type BucketDefault,
  type DecisionSet,
  type PolicyTest,
  type PolicyTestRequest,
} from "./policy.ts";

const instant: TextShape = {
  is: "text",
  like: /^\d{4}-\d\d-\d\d(T.+)?$/,
  ok: isRealDate,
  code: "bad-date",
  write: "a date or time in ISO 8601, as 2027-06-30T12:00:00Z",
};

const observed = [
  "UploadPart",
  "UploadPartCopy",
  "CompleteMultipartUpload",
  "GetObject",
  "HeadObject",
  "CreateSession",
];

const NEED_BUCKET = { bucket: "the bucket's name" };

/** Members of the SDK's input, which people write for the facts that they become. */
const SDK_MEMBERS = {
  Bucket: "bucket",
  Key: "key",
  ServerSideEncryption: "sse",
  SSEKMSKeyId: "kmsKey",
  BucketKeyEnabled: "bucketKey",
  SSEKMSEncryptionContext: "ownContext: true",
  SSECustomerAlgorithm: "sse: SSE-C",
  SSECustomerKey: "sse: SSE-C",
  CopySource: "copySource, with bucket in it",
};

export const REQUEST: FieldsShape = fields<PolicyTestRequest>(
  {
    operation: operation(...writes, ...observed),
    bucket: text,
    key: text,
    bucketType,
    sse: text,
    kmsKey: text,
    bucketKey: flag,
    ownContext: flag,
    copySource: fields<PolicyTestRequest["copySource"] & {}>({ bucket: text, bucketType }, NEED_BUCKET),
    bucketDefault: {
      is: "either",
      of: [
        one("lookup-failed"),
        fields<BucketDefault>(
          { sse: text, kmsKey: text, bucketKey: flag },
          { sse: "the bucket's default algorithm", bucketKey: "true or false" },
        ),
      ],
    },
    presigning: flag,
    region: text,
    account,
    now: instant,
  },
  { operation: "an operation such as PutObject", ...NEED_BUCKET },
  SDK_MEMBERS,
);

const TEST = fields<PolicyTest>(
  {
    name: text,
    request: REQUEST,
    expect: fields<PolicyTest["expect"]>({
      rule: text,
      decision: one("pass", "amend", "refuse"),
      why: one(...Object.keys(WHY_DECISION)),
      mode,
      seal: one("seal", "unseal", "leave"),
      set: fields<DecisionSet>({ sse: text, kmsKey: text, bucketKey: one(true, false, null) }),
      notes: { ...list(one("kept-key", "unknown-key", "expired-rule", "own-context")), mayBeEmpty: true },
    }),
  },
  { name: "what is tested", request: "the request", expect: "what must be decided" },
);

/** The whole policy, with its tests. */
export const POLICY_WITH_TESTS: FieldsShape = {
  ...POLICY,
  of: { ...POLICY.of, tests: { ...list(TEST), mayBeEmpty: true } },
};
