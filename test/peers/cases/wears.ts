import { type BucketKeysOptions, definePolicy, type PolicyRule } from "../../../src/index.ts";
import type { KmsKeys } from "../peer.ts";

/** A policy of one rule: SSE-KMS under one key, with a bucket key, enforced. `fields` says what is otherwise. */
export const lake =
  (fields: Partial<PolicyRule> = {}) =>
  (keys: KmsKeys): BucketKeysOptions => ({
    policy: definePolicy({
      version: 1,
      defaults: { mode: "enforce" },
      rules: [{ id: "lake", reason: "The peers' suite.", bucketKey: "on", kmsKey: keys.rule, ...fields }],
    }),
  });

/** No policy: the flag on every write that names `aws:kms`. */
export const flagOnly = (): BucketKeysOptions => ({ mode: "enforce" });

/** Members of a request that names the rule's key. */
export const named = ({ rule }: KmsKeys) => ({ ServerSideEncryption: "aws:kms", SSEKMSKeyId: rule }) as const;
