import { createPresignedPost } from "@aws-sdk/s3-presigned-post";
import { describe, expect, it, vi } from "vitest";
import {
  BucketKeyFormError,
  BucketKeyRefusedError,
  BucketKeySetupError,
  bucketKeyPostOptions,
  definePolicy,
  readPostAnswer,
  type Decision,
  type Policy,
  type PolicyRule,
  type PolicySnapshot,
  type PolicySource,
  type PostFacts,
  type PostOptions,
} from "../../src/index.ts";
import { FLAG, KEY_ID, SSE, stubClient } from "../support/stub-client.ts";

const KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const OTHER = "arn:aws:kms:eu-west-1:111122223333:key/99999999-12ab-34cd-56ef-1234567890ab";
const FILENAME = "${filename}"; // oxlint-disable-line no-template-curly-in-string -- S3's own, not ours
const form = { Bucket: "acme-lake", Key: "a/b" } as const;

function policyOf(...rules: Partial<PolicyRule>[]): Policy {
  return definePolicy({
    version: 1,
    defaults: { mode: "enforce" },
    rules: rules.map((rule, i) => ({ id: `r${i}`, reason: "Because of the test.", ...rule })),
  });
}

const lake = policyOf({ bucketKey: "on", kmsKey: KEY });
const flagged = policyOf({ bucketKey: "on" });

/** What the real `createPresignedPost` makes of the options: the fields, and the policy in clear. */
async function signed(
  options: PostOptions,
): Promise<{ fields: Record<string, string>; conditions: unknown[] }> {
  const { fields } = await createPresignedPost(stubClient().client, options as typeof form);
  const text = Buffer.from(fields["Policy"] ?? "", "base64").toString();
  return { fields, conditions: (JSON.parse(text) as { conditions: unknown[] }).conditions };
}

function source(snapshot: PolicySnapshot): PolicySource {
  return { current: () => snapshot, subscribe: () => () => {}, close: () => {} };
}

function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe("a form under an enforced rule", () => {
  it("gets algorithm, key and flag as fields, and S3 will turn down a form without exactly these", async () => {
    const { fields, conditions } = await signed(bucketKeyPostOptions(lake, form));
    const wanted = { [SSE]: "aws:kms", [KEY_ID]: KEY, [FLAG]: "true" };
    expect(fields).toMatchObject(wanted);
    for (const [name, value] of Object.entries(wanted)) expect(conditions).toContainEqual({ [name]: value });
  });

  const kms = { [SSE]: "aws:kms", [KEY_ID]: KEY };
  it.each<[string, Partial<PolicyRule>, Record<string, string>, Record<string, string>]>([
    ["the flag beside a named aws:kms", { bucketKey: "on" }, kms, { ...kms, [FLAG]: "true" }],
    ["false, when the rule says off", { bucketKey: "off" }, kms, { ...kms, [FLAG]: "false" }],
    [
      "nothing more when all is there",
      { bucketKey: "on" },
      { ...kms, [FLAG]: "true" },
      { ...kms, [FLAG]: "true" },
    ],
    [
      "the opposite flag overridden",
      { bucketKey: "on" },
      { ...kms, [FLAG]: "false" },
      { ...kms, [FLAG]: "true" },
    ],
    [
      "the opposite flag kept",
      { bucketKey: "on", onConflict: "keep-caller" },
      { ...kms, [FLAG]: "false" },
      { ...kms, [FLAG]: "false" },
    ],
    [
      "a flag that is neither true nor false replaced",
      { bucketKey: "on" },
      { ...kms, [FLAG]: "yes" },
      { ...kms, [FLAG]: "true" },
    ],
    ["the key of a key-less aws:kms", { kmsKey: KEY }, { [SSE]: "aws:kms" }, kms],
    [
      "AES256 overridden",
      { bucketKey: "on", kmsKey: KEY, onKeyConflict: "override" },
      { [SSE]: "AES256" },
      { ...kms, [FLAG]: "true" },
    ],
    ["nothing without SSE: the bucket decides", { bucketKey: "on" }, {}, {}],
    [
      "only the flag, when the rule says send",
      { bucketKey: "on", whenSseUnset: "send" },
      {},
      { [FLAG]: "true" },
    ],
    ["the opposite flag removed without SSE", { bucketKey: "on" }, { [FLAG]: "false" }, {}],
    [
      "the flag stripped from AES256",
      { bucketKey: "on", onUnproven: "strip" },
      { [SSE]: "AES256", [FLAG]: "true" },
      { [SSE]: "AES256" },
    ],
    [
      "no flag beside a customer key",
      { bucketKey: "on" },
      { [`${SSE}-customer-algorithm`]: "AES256" },
      { [`${SSE}-customer-algorithm`]: "AES256" },
    ],
    [
      "names compared without case, and their spelling kept",
      { bucketKey: "on" },
      {
        "X-Amz-Server-Side-Encryption": "aws:kms",
        "X-AMZ-SERVER-SIDE-ENCRYPTION-BUCKET-KEY-ENABLED": "false",
      },
      {
        "X-Amz-Server-Side-Encryption": "aws:kms",
        "X-AMZ-SERVER-SIDE-ENCRYPTION-BUCKET-KEY-ENABLED": "true",
      },
    ],
    [
      "other fields untouched",
      { bucketKey: "on" },
      { acl: "private", ...kms },
      { acl: "private", ...kms, [FLAG]: "true" },
    ],
  ])("gets %s", (_what, rule, Fields, expected) => {
    expect(bucketKeyPostOptions(policyOf(rule), { ...form, Fields }).Fields).toEqual(expected);
  });

  it("keeps the caller's conditions, expiry and whatever else the options hold", async () => {
    const Conditions: [string, number, number][] = [["content-length-range", 0, 1_024]];
    const options = bucketKeyPostOptions(lake, { ...form, Conditions, Expires: 60, Unheard: "of" });
    expect(options).toMatchObject({ ...form, Conditions, Expires: 60, Unheard: "of" });
    expect((await signed(options)).conditions).toContainEqual(["content-length-range", 0, 1_024]);
  });

  it("touches nothing of the caller's, even frozen", () => {
    const Fields = Object.freeze({ [SSE]: "aws:kms" });
    const options = Object.freeze({ ...form, Fields, Conditions: Object.freeze([]) });
    expect(bucketKeyPostOptions(flagged, options).Fields).not.toBe(Fields);
    expect(options).toEqual({ ...form, Fields: { [SSE]: "aws:kms" }, Conditions: [] });
  });

  it("is what it was when it goes through a second time", () => {
    const once = bucketKeyPostOptions(lake, form);
    expect(bucketKeyPostOptions(lake, once)).toEqual(once);
  });
});

describe("a form that is refused", () => {
  it.each<[string, Partial<PolicyRule>, Record<string, string>, string]>([
    ["another key", { bucketKey: "on", kmsKey: KEY }, { [SSE]: "aws:kms", [KEY_ID]: OTHER }, "refused-key"],
    ["AES256 under a kmsKey", { bucketKey: "on", kmsKey: KEY }, { [SSE]: "AES256" }, "refused-key"],
    [
      "the opposite flag",
      { bucketKey: "on", onConflict: "refuse" },
      { [SSE]: "aws:kms", [FLAG]: "false" },
      "refused-flag",
    ],
    [
      "an unproven flag",
      { bucketKey: "on", onUnproven: "refuse" },
      { [SSE]: "AES256", [FLAG]: "true" },
      "refused-unproven",
    ],
    ["a place that seals", { envelope: "seal" }, {}, "refused-seal"],
    ["a place that seals, whatever the mode", { envelope: "seal", mode: "off" }, {}, "refused-seal"],
  ])("for %s", (_what, rule, Fields, why) => {
    const error = thrownBy(() => bucketKeyPostOptions(policyOf(rule), { ...form, Fields }));
    expect(error).toBeInstanceOf(BucketKeyRefusedError);
    expect(error).toMatchObject({ why, rule: "r0", operation: "PostObject", bucket: "acme-lake" });
  });

  it("says which fields to change, by the names that a form has", () => {
    const options = { ...form, Fields: { [SSE]: "AES256" } };
    const { message } = thrownBy(() => bucketKeyPostOptions(lake, options)) as Error;
    expect(message).toContain(`leave ${SSE} and ${KEY_ID} out`);
    expect(message).not.toContain("ServerSideEncryption");
    expect(message).not.toContain("a/b");
  });
});

const start = (field: string, value = ""): unknown => ["starts-with", `$${field}`, value];

describe("the caller's conditions", () => {
  const kms = { [SSE]: "aws:kms" };
  it.each<[string, unknown, Record<string, string>]>([
    ["an equal value", { [FLAG]: "true" }, kms],
    ["the same as a list", ["eq", `$${FLAG}`, "true"], kms],
    ["any start", ["starts-with", `$${FLAG}`, ""], kms],
    ["a start that fits", ["starts-with", `$${SSE}`, "aws:"], kms],
    ["other fields", ["starts-with", "$x-amz-meta-note", "false"], kms],
    ["a size", ["content-length-range", 0, 10], kms],
    ["what nobody understands", "garbage", kms],
    ["a list of something else", ["eq", 7, "false"], kms],
  ])("may ask for %s", (_what, condition, Fields) => {
    const options = { ...form, Fields, Conditions: [condition] };
    expect(bucketKeyPostOptions(flagged, options)).toMatchObject({
      Fields: { [FLAG]: "true" },
      Conditions: [condition],
    });
  });

  it.each<[string, unknown, string]>([
    ["the opposite flag", { [FLAG]: "false" }, FLAG],
    ["the same as a list", ["eq", `$${FLAG}`, "false"], FLAG],
    ["the same in other case", ["EQ", `$${FLAG.toUpperCase()}`, "false"], FLAG],
    ["another start of the flag", ["starts-with", `$${FLAG}`, "f"], FLAG],
    ["another start of the algorithm", ["starts-with", `$${SSE}`, "AES"], SSE],
    ["another start of the key", ["starts-with", `$${KEY_ID}`, "alias/"], KEY_ID],
  ])(
    "that contradict the rule by %s are an error, since S3 would turn down every upload",
    (_what, condition, field) => {
      const error = thrownBy(() => bucketKeyPostOptions(lake, { ...form, Conditions: [condition] }));
      expect(error).toBeInstanceOf(BucketKeyFormError);
      expect(error).toMatchObject({ code: "ERR_BUCKET_KEY_FORM", field, bucket: "acme-lake" });
      expect((error as Error).message).toContain("Take the condition out");
    },
  );

  it("on a flag that must go contradict it, whatever they ask for", () => {
    const strip = policyOf({ bucketKey: "on", onUnproven: "strip" });
    const Fields = { [SSE]: "AES256", [FLAG]: "true" };
    const options = { ...form, Fields, Conditions: [["starts-with", `$${FLAG}`, ""]] };
    expect(() => bucketKeyPostOptions(strip, options)).toThrow(`wants no field ${FLAG}`);
  });

  const strict = policyOf({ bucketKey: "on", onConflict: "refuse", onUnproven: "refuse" });
  const CUSTOMER = `${SSE}-customer-algorithm`;
  it.each<[string, string, Policy, unknown[], Record<string, string>]>([
    ["algorithm", SSE, strict, [start(SSE), start(FLAG)], {}],
    ["algorithm, but for its start", SSE, strict, [start(SSE, "aws:kms")], {}],
    ["algorithm, in other case", SSE, strict, [["STARTS-WITH", `$${SSE.toUpperCase()}`, ""]], {}],
    ["algorithm, named without $", SSE, strict, [["starts-with", SSE, ""]], {}],
    ["flag beside AES256", FLAG, strict, [start(FLAG)], { [SSE]: "AES256" }],
    ["flag, where the rule overrides", FLAG, flagged, [start(FLAG)], {}],
    ["customer algorithm", CUSTOMER, lake, [start(CUSTOMER)], {}],
    [
      "key, which another rule looks at",
      KEY_ID,
      policyOf({ bucketKey: "off", match: { kmsKeys: [OTHER] } }, { bucketKey: "on" }),
      [start(KEY_ID)],
      { [SSE]: "aws:kms" },
    ],
    [
      "key, where the rule's own is kept out",
      KEY_ID,
      policyOf({ bucketKey: "on", kmsKey: KEY, onKeyConflict: "keep-caller" }),
      [start(KEY_ID)],
      { [SSE]: "AES256" },
    ],
    [
      "algorithm, which decides whether a rule matches",
      SSE,
      policyOf({ bucketKey: "on", match: { sse: ["aws:kms"] } }),
      [start(SSE)],
      {},
    ],
  ])(
    "that leave open the %s are an error, since nobody decided about it",
    (_what, field, policy, Conditions, Fields) => {
      const options = { ...form, Conditions, Fields };
      const error = thrownBy(() => bucketKeyPostOptions(policy, options));
      expect(error).toBeInstanceOf(BucketKeyFormError);
      expect(error).toMatchObject({ field, bucket: "acme-lake" });
      expect((error as Error).message).toContain(`["starts-with","$${field}",`);
      expect((error as Error).message).toContain("Give the field in Fields, or leave the condition out.");
      for (const mode of ["audit", "off"] as const) {
        expect(bucketKeyPostOptions(policy, options, { mode })).toEqual(options);
      }
    },
  );

  it.each<[string, Policy, unknown[], Record<string, string>]>([
    ["that the form has", strict, [start(SSE, "AES")], { [SSE.toUpperCase()]: "AES256" }],
    ["that another condition fixes", strict, [start(SSE), { [SSE]: "AES256" }], {}],
    [
      "of which no rule speaks",
      policyOf({ bucketKey: "on", match: { buckets: ["other"] } }),
      [start(SSE)],
      {},
    ],
    ["of a key, where no rule minds which", flagged, [start(KEY_ID, "arn:")], { [SSE]: "aws:kms" }],
    ["that has nothing to do with encryption", strict, [start("content-type", "image/")], {}],
  ])("may give the start of a field %s", (_what, policy, Conditions, Fields) => {
    const options = { ...form, Conditions, Fields };
    expect(bucketKeyPostOptions(policy, options)).toMatchObject(options);
  });

  it("that fix a value count as written by the caller: the page can add nothing else", () => {
    const Conditions = [["eq", `$${SSE}`, "aws:kms"]];
    expect(bucketKeyPostOptions(flagged, { ...form, Conditions }).Fields).toEqual({ [FLAG]: "true" });
    const flag = [{ [FLAG]: "true" }];
    expect(bucketKeyPostOptions(lake, { ...form, Conditions: flag }).Fields).toEqual({
      [SSE]: "aws:kms",
      [KEY_ID]: KEY,
      [FLAG]: "true",
    });
    const refuse = policyOf({ bucketKey: "on", onConflict: "refuse" });
    const opposite = [...Conditions, { [FLAG]: "false" }];
    expect(() => bucketKeyPostOptions(refuse, { ...form, Conditions: opposite })).toThrow("refused-flag");
  });

  it.each([
    [FLAG, FLAG.toUpperCase()],
    [SSE, "X-Amz-Server-Side-Encryption"],
  ])("aside, %s in two spellings is an error, since nobody knows which one S3 takes", (a, b) => {
    const options = { ...form, Fields: { [a]: "aws:kms", [b]: "true" } };
    const error = thrownBy(() => bucketKeyPostOptions(flagged, options));
    expect(error).toBeInstanceOf(BucketKeyFormError);
    expect((error as Error).message).toContain(`${a} and ${b}`);
  });

  it("aside, other fields in two spellings are the caller's", () => {
    const Fields = { "x-amz-meta-a": "1", "X-Amz-Meta-A": "2" };
    expect(bucketKeyPostOptions(flagged, { ...form, Fields }).Fields).toEqual(Fields);
  });
});

describe("audit and off", () => {
  const bad = {
    ...form,
    Fields: { [SSE]: "AES256", [SSE.toUpperCase()]: "AES256" },
    Conditions: [{ [FLAG]: "false" }],
  };
  it.each<[string, Policy, PostFacts]>([
    ["a rule that audits", policyOf({ bucketKey: "on", kmsKey: KEY, mode: "audit" }), {}],
    ["a rule that is off", policyOf({ bucketKey: "on", kmsKey: KEY, mode: "off" }), {}],
    ["a mode given from outside", lake, { mode: "audit" }],
    ["off from outside", lake, { mode: "off" }],
  ])("change and refuse nothing: %s", (_what, policy, facts) => {
    expect(bucketKeyPostOptions(policy, bad, facts)).toEqual(bad);
  });

  it("tell what enforcing would have done", () => {
    const onDecision = vi.fn<(decision: Decision) => void>();
    bucketKeyPostOptions(lake, form, { mode: "audit", onDecision });
    expect(onDecision.mock.calls).toMatchObject([
      [
        {
          decision: "amend",
          why: "completed",
          mode: "audit",
          set: { sse: "aws:kms", kmsKey: KEY, bucketKey: true },
        },
      ],
    ]);
  });
});

describe("keys", () => {
  const uploads = policyOf({ bucketKey: "on", kmsKey: KEY, match: { prefixes: ["uploads/"] } });
  it.each([
    ["a key of its own", "uploads/a.txt", true],
    ["the text before the name of the file", `uploads/${FILENAME}`, true],
    ["text before it that doesn't reach the prefix", `up${FILENAME}`, false],
    ["nothing but the name of the file", FILENAME, false],
    ["text after it, of which nobody knows where it will stand", `x/${FILENAME}/uploads/`, false],
    ["../, which is plain text", "uploads/../secret", true],
    ["../ that only looks like the prefix", "a/../uploads/b", false],
    ["unicode", "uploads/ключ-🔑", true],
    ["an encoded slash, which is plain text", "uploads%2Fa", false],
    ["an empty key", "", false],
  ])("are matched as plain text: %s", (_what, Key, matches) => {
    const { Fields } = bucketKeyPostOptions(uploads, { Bucket: "acme-lake", Key });
    expect(Fields[FLAG]).toBe(matches ? "true" : undefined);
  });
});

describe("a key that whoever uploads completes", () => {
  const sealing = policyOf({ envelope: "seal", match: { prefixes: ["vault/top"] } });
  it.each([
    ["a place that seals", `vault/top/${FILENAME}`, true],
    ["a place that could come to seal", `vault/${FILENAME}`, true],
    ["a place that any text leads to, slashes included", FILENAME, true],
    ["a place whose start it has only begun", `va${FILENAME}`, true],
    ["another place", `other/${FILENAME}`, false],
    ["a whole key that only starts like it", "vault/to", false],
  ])("is refused in %s", (_what, Key, isRefused) => {
    const error = thrownBy(() => bucketKeyPostOptions(sealing, { Bucket: "acme-lake", Key }));
    expect(error instanceof BucketKeyRefusedError && error.why === "refused-seal").toBe(isRefused);
    expect(error !== undefined).toBe(isRefused);
  });

  const up = `up/${FILENAME}`;
  const everywhere = { envelope: "seal" } as const;
  it.each<[string, string, boolean, ...Partial<PolicyRule>[]]>([
    [
      "a prefix two folders down",
      `evi${FILENAME}`,
      true,
      { envelope: "seal", match: { buckets: ["acme-lake"], prefixes: ["evidence/signed/"] } },
    ],
    ["another bucket", up, false, { envelope: "seal", match: { buckets: ["other"], prefixes: ["up/x/"] } }],
    ["a glob of keys", up, true, { envelope: "seal", match: { keys: ["up/*.pii"] } }],
    [
      "a glob that the text has entered",
      `up/a${FILENAME}`,
      true,
      { envelope: "seal", match: { keys: ["up/*.pii"] } },
    ],
    ["a glob that starts with a star", up, true, { envelope: "seal", match: { keys: ["*.pii"] } }],
    ["a glob elsewhere", up, false, { envelope: "seal", match: { keys: ["down/*.pii"] } }],
    ["one key", up, true, { envelope: "seal", match: { keys: ["up/a"] } }],
    ["one key that the text is past", up, false, { envelope: "seal", match: { keys: ["up"] } }],
    ["all but the known text", up, true, { envelope: "seal", except: { keys: ["up/"] } }],
    ["all but some of the keys", up, true, { envelope: "seal", except: { prefixes: ["up/public/"] } }],
    ["all but all of these keys", up, false, { envelope: "seal", except: { prefixes: ["up/"] } }],
    ["all but these keys, as a glob", up, false, { envelope: "seal", except: { keys: ["up/*"] } }],
    [
      "what no earlier rule leaves",
      up,
      false,
      { envelope: "leave", match: { prefixes: ["up/"] } },
      everywhere,
    ],
    [
      "what an earlier rule leaves in part",
      up,
      true,
      { envelope: "leave", match: { keys: ["up/"] } },
      everywhere,
    ],
    [
      "what an earlier rule leaves with exceptions",
      up,
      true,
      { envelope: "leave", match: { prefixes: ["up/"] }, except: { keys: ["up/*.pii"] } },
      everywhere,
    ],
    ["what is unsealed", up, false, { envelope: "unseal" }],
  ])("and a rule that seals %s: %s is refused: %s", (_what, Key, isRefused, ...rules) => {
    const error = thrownBy(() => bucketKeyPostOptions(policyOf(...rules), { Bucket: "acme-lake", Key }));
    expect(error instanceof BucketKeyRefusedError && error.why === "refused-seal").toBe(isRefused);
    expect(error !== undefined).toBe(isRefused);
  });

  it("is refused by the rule that could seal, even one that has expired", () => {
    const onDecision = vi.fn<(decision: Decision) => void>();
    const policy = policyOf({}, { envelope: "seal", expires: "2026-01-01", match: { keys: ["up/*.pii"] } });
    const now = new Date("2026-01-02");
    const call = (): unknown =>
      bucketKeyPostOptions(policy, { Bucket: "b", Key: up }, { mode: "off", now, onDecision });
    expect(thrownBy(call)).toMatchObject({ rule: "r1", why: "refused-seal" });
    expect(onDecision.mock.calls).toMatchObject([[{ rule: "r1", mode: "off", notes: ["expired-rule"] }]]);
  });
});

describe("buckets", () => {
  it.each([
    ["a directory bucket", "logs--use1-az4--x-s3", false],
    [
      "an Outposts access point",
      "arn:aws:s3-outposts:eu-west-1:111122223333:outpost/op-1/accesspoint/ap",
      false,
    ],
    ["an access point", "arn:aws:s3:eu-west-1:111122223333:accesspoint/ap", true],
    ["a URL", "https://acme-lake.example.com", true],
  ])("of other kinds: %s", (_what, Bucket, applies) => {
    expect(bucketKeyPostOptions(lake, { ...form, Bucket }).Fields[FLAG]).toBe(applies ? "true" : undefined);
  });

  it("behind an access point are matched when the caller can tell them", () => {
    const named = policyOf({ bucketKey: "on", kmsKey: KEY, match: { buckets: ["acme-lake"] } });
    const options = { ...form, Bucket: "ap-s3alias" };
    expect(bucketKeyPostOptions(named, options).Fields).toEqual({});
    expect(bucketKeyPostOptions(named, options, { resolveBucket: () => "acme-lake" }).Fields[FLAG]).toBe(
      "true",
    );
  });
});

describe("what the options don't tell", () => {
  it("is a fact: the time, the region, the account", () => {
    const expiring = policyOf({ bucketKey: "on", kmsKey: KEY, expires: "2026-01-01", onExpiry: "drop" });
    expect(bucketKeyPostOptions(expiring, form).Fields[FLAG]).toBe("true");
    expect(bucketKeyPostOptions(expiring, form, { now: new Date("2026-01-02") }).Fields).toEqual({});
    const regional = policyOf({ bucketKey: "on", kmsKey: KEY, match: { regions: ["eu-west-1"] } });
    expect(bucketKeyPostOptions(regional, form, { region: "eu-west-1" }).Fields[FLAG]).toBe("true");
    expect(bucketKeyPostOptions(regional, form, { region: "us-east-1" }).Fields).toEqual({});
  });

  it.each([
    ["region", { regions: ["eu-west-1"] }],
    ["account", { accounts: ["111122223333"] }],
  ])("is asked for when rules need the %s, instead of matching nothing in silence", (fact, match) => {
    const error = thrownBy(() => bucketKeyPostOptions(policyOf({ bucketKey: "on", match }), form));
    expect(error).toBeInstanceOf(BucketKeySetupError);
    expect((error as Error).message).toContain(`the fact ${fact}`);
  });

  it("is looked up beforehand under whenSseUnset: lookup; without it the lookup has failed", () => {
    const policy = policyOf({ bucketKey: "on", whenSseUnset: "lookup", onLookupFailure: "refuse" });
    const bucketDefault = { sse: "aws:kms", bucketKey: false };
    expect(bucketKeyPostOptions(policy, form, { bucketDefault }).Fields).toEqual({ [FLAG]: "true" });
    expect(
      bucketKeyPostOptions(policy, form, { bucketDefault: { ...bucketDefault, bucketKey: true } }).Fields,
    ).toEqual({});
    expect(() => bucketKeyPostOptions(policy, form)).toThrow("refused-lookup");
  });
});

describe("options and facts", () => {
  it.each<[string, unknown, unknown, string]>([
    ["a slip in a fact's name", form, { regoin: "eu-west-1" }, 'has no fact "regoin": it has mode, region,'],
    ["a slip in a fact's name", form, { onDecison: () => {} }, "Did you mean onDecision?"],
    ["facts that are text", form, "audit", "takes its facts as an object: bucketKeyPostOptions(policy, {"],
    ["facts that are null", form, null, "takes its facts as an object"],
    [
      "options that are left out",
      undefined,
      {},
      "takes the form's options as an object: bucketKeyPostOptions(",
    ],
    ["options that are null", null, {}, "takes the form's options as an object"],
    ["options that are text", "acme-lake", {}, "takes the form's options as an object"],
  ])("are said to be wrong: %s", (_, options, facts, says) => {
    const error = thrownBy(() => bucketKeyPostOptions(lake, options as typeof form, facts as object));
    expect(error).toBeInstanceOf(BucketKeySetupError);
    expect((error as Error).message).toContain(says);
  });

  it("pass through as options that are the SDK's", () => {
    expect(bucketKeyPostOptions(lake, { ...form, Expires: 60 })).toMatchObject({ Expires: 60 });
  });
});

describe("a policy that is loaded", () => {
  it("holds as it stands when the form is made", () => {
    let policy = flagged;
    const reloaded = { ...source({}), current: () => ({ policy }) };
    expect(bucketKeyPostOptions(reloaded, form).Fields).toEqual({});
    policy = lake;
    expect(bucketKeyPostOptions(reloaded, form).Fields[FLAG]).toBe("true");
  });

  it("and never was leaves forms as they are, or refuses them, as it says", () => {
    expect(bucketKeyPostOptions(source({}), form).Fields).toEqual({});
    expect(bucketKeyPostOptions(source({ failure: "fail-open" }), form).Fields).toEqual({});
    const closed = source({ failure: "fail-closed" });
    expect(thrownBy(() => bucketKeyPostOptions(closed, form))).toMatchObject({
      why: "refused-policy",
      rule: "defaults",
    });
    expect(bucketKeyPostOptions(closed, form, { mode: "audit" }).Fields).toEqual({});
  });
});

describe("what is no policy", () => {
  it.each<[string, unknown]>([
    ["nothing", undefined],
    ["null", null],
    ["a path", "bucket-keys.yaml"],
    ["a promise of one", Promise.resolve(lake)],
    ["a list", [lake]],
    ["the form's options", form],
  ])("is an error that says what to give: %s", (_what, policy) => {
    const error = thrownBy(() => bucketKeyPostOptions(policy as Policy, form, { mode: "off" }));
    expect(error).toBeInstanceOf(BucketKeySetupError);
    expect((error as Error).message).toContain(
      "give a policy (definePolicy), or what loadPolicy resolves to",
    );
  });
});

describe("the answer to a form", () => {
  it.each([
    ["headers of fetch", new Headers({ [SSE]: "aws:kms", [KEY_ID]: KEY, [FLAG]: "true" })],
    ["a plain record", { [SSE]: "aws:kms", [KEY_ID]: KEY, [FLAG]: "true" }],
    [
      "a record in other case",
      { [SSE.toUpperCase()]: "aws:kms", [KEY_ID]: KEY, [FLAG.toUpperCase()]: ["true"] },
    ],
  ])("is read from %s", (_what, headers) => {
    expect(readPostAnswer(headers)).toEqual({ state: "enabled", sse: "aws:kms", kmsKey: KEY });
  });

  it.each([
    ["no bucket key", { [SSE]: "aws:kms" }, { state: "disabled", sse: "aws:kms" }],
    [
      "False, as some servers echo",
      { [SSE]: "aws:kms", [FLAG]: "False" },
      { state: "disabled", sse: "aws:kms" },
    ],
    ["garbage", { [SSE]: "aws:kms", [FLAG]: "maybe" }, { state: "unknown", sse: "aws:kms" }],
    ["SSE-S3", { [SSE]: "AES256" }, { state: "not-applicable", sse: "AES256" }],
    [
      "a customer key",
      { [`${SSE}-customer-algorithm`]: "AES256" },
      { state: "not-applicable", sse: "SSE-C" },
    ],
    ["nothing, as in a browser without ExposeHeaders", {}, { state: "unknown", sse: "none" }],
  ])("that says %s", (_what, headers, expected) => {
    expect(readPostAnswer(headers)).toEqual(expected);
    expect(readPostAnswer(new Headers(headers as Record<string, string>))).toEqual(expected);
  });
});
