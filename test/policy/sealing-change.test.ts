import { describe, expect, it } from "vitest";
import type { Policy, PolicyRule } from "../../src/policy/policy.ts";
import { silentSealingChange } from "../../src/policy/sealing-change.ts";

type Place = readonly [envelope: NonNullable<PolicyRule["envelope"]>, bucket: string];
const policy = (...places: readonly Place[]): Policy => ({
  version: 1,
  rules: places.map(([envelope, bucket], i) => ({
    id: `${envelope}-${bucket}-${i}`,
    reason: "x",
    envelope,
    match: { buckets: [bucket] },
  })),
});

/** Two policies, and the rule that changes in silence, if any. */
const CHANGES: readonly (readonly [what: string, before: Policy, after: Policy, lost: string])[] = [
  ["nothing seals", policy(), policy(), ""],
  ["sealing begins", policy(), policy(["seal", "a"]), ""],
  ["nothing changes", policy(["seal", "a"], ["leave", "b"]), policy(["seal", "a"], ["leave", "b"]), ""],
  ["a seal is appended", policy(["seal", "a"]), policy(["seal", "a"], ["seal", "b"]), ""],
  ["a seal becomes unseal", policy(["seal", "a"], ["seal", "b"]), policy(["unseal", "a"], ["seal", "b"]), ""],
  ["an unseal is put first", policy(["seal", "a"]), policy(["unseal", "a1"], ["seal", "a"]), ""],
  [
    "an unseal is put between",
    policy(["seal", "a"], ["seal", "b"]),
    policy(["seal", "a"], ["unseal", "b1"], ["seal", "b"]),
    "",
  ],
  ["an unseal is appended", policy(["seal", "a"]), policy(["seal", "a"], ["unseal", "b"]), ""],
  ["all is gone", policy(["seal", "a"]), policy(), "seal-a-0"],
  ["the last is gone", policy(["seal", "a"], ["seal", "b"]), policy(["seal", "a"]), "seal-b-1"],
  ["the first is gone", policy(["seal", "a"], ["seal", "b"]), policy(["seal", "b"]), "seal-a-0"],
  ["it seals elsewhere", policy(["seal", "a"]), policy(["seal", "b"]), "seal-a-0"],
  [
    "the order changes",
    policy(["seal", "a"], ["unseal", "b"]),
    policy(["unseal", "b"], ["seal", "a"], ["unseal", "c"]),
    "unseal-b-1",
  ],
  ["a seal becomes leave", policy(["seal", "a"]), policy(["leave", "a"]), "leave-a-0"],
  ["a leave is put first", policy(["seal", "a"]), policy(["leave", "a1"], ["seal", "a"]), "leave-a1-0"],
  ["a leave is appended", policy(["seal", "a"]), policy(["seal", "a"], ["leave", "b"]), "leave-b-1"],
  [
    "a seal is put before an unseal",
    policy(["unseal", "a"]),
    policy(["seal", "b"], ["unseal", "a"]),
    "unseal-a-0",
  ],
  ["a leave becomes unseal", policy(["leave", "a"]), policy(["unseal", "a"]), "leave-a-0"],
  ["an unseal is gone", policy(["unseal", "a"]), policy(), "unseal-a-0"],
];

describe("silentSealingChange", () => {
  it.each(CHANGES)("%s", (_what, before, after, lost) => {
    const change = silentSealingChange(before, after) ?? "";
    expect(/^Rule (\S+) /.exec(change)?.[1] ?? "").toBe(lost);
  });

  it("looks at places only: other rules, ids, reasons and the order of items may change", () => {
    const except = { prefixes: ["t/"] };
    const sealing = { id: "a", reason: "x", envelope: "seal", except } as const;
    const before: Policy = {
      version: 1,
      rules: [{ ...sealing, match: { buckets: ["a", "b"], prefixes: ["p", "q"], keys: ["k"] } }],
    };
    const after: Policy = {
      version: 1,
      rules: [
        { id: "new", reason: "x", bucketKey: "on" },
        {
          ...sealing,
          id: "z",
          reason: "y",
          match: { keys: ["k"], prefixes: ["q", "p"], buckets: ["b", "a"] },
        },
      ],
    };
    expect(silentSealingChange(before, after)).toBeUndefined();
    expect(silentSealingChange({ version: 1 }, { version: 1 })).toBeUndefined();
    const plain: Policy = { version: 1, rules: [{ id: "plain", reason: "x", bucketKey: "on" }] };
    expect(silentSealingChange(plain, { version: 1 })).toBeUndefined();
  });
});
