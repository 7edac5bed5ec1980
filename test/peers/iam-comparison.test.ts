/**
 * The simulator's policies against an evaluator that nobody here wrote: the same statements, the same contexts.
 *
 * `@cloud-copilot/iam-simulate` (AGPL-3.0) is installed into the git-ignored cache and run from there; it is no
 * dependency. It drops `kms:EncryptionContext:aws:s3:arn`, so the key is called `kms:ViaService` for the comparison,
 * which it knows as one text; what is compared is what conditions, principals and effects mean.
 *
 * `npx vitest run --config vitest.peers.config.ts test/peers/iam-comparison.test.ts`
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { askIdentityPolicies } from "../../src/simulator/iam/evaluate.ts";
import { parsePolicy } from "../../src/simulator/iam/parse-policy.ts";
import type { PolicyStatement } from "../../src/simulator/iam/policy-document.ts";
import { principalOf } from "../../src/simulator/iam/principal.ts";
import { requestContext } from "../../src/simulator/iam/request-context.ts";
import { installOnce } from "./cache.ts";

const VERSION = "0.1.173";
const ACCOUNT = "111122223333";
const ALICE = `arn:aws:iam::${ACCOUNT}:user/alice`;
const KEY = `arn:aws:kms:eu-west-1:${ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab`;
const TAGS = { team: "tenant-a" };
const STAND_IN = "kms:ViaService";
const CONTEXT_KEY = "kms:EncryptionContext:aws:s3:arn";

const BUCKET = "arn:aws:s3:::metrics-raw";
const CONTEXTS = [
  undefined,
  BUCKET,
  `${BUCKET}/x`,
  `${BUCKET}/tenant-a/2026/x`,
  "arn:aws:s3:::metrics-raw-2/x",
];
const VALUES = [
  [BUCKET],
  [`${BUCKET}/*`],
  [`${BUCKET}*`],
  [BUCKET, `${BUCKET}/*`],
  [`${BUCKET}/tenant-a/*`],
  [`${BUCKET}/\${aws:PrincipalTag/team}/*`],
  ["arn:aws:s3:::metrics-r?w/x"],
  ["arn:*:s3:::*"],
  [BUCKET.toUpperCase()],
];
const OPERATORS = [
  "StringEquals",
  "StringNotEquals",
  "StringEqualsIgnoreCase",
  "StringNotEqualsIgnoreCase",
  "StringLike",
  "StringNotLike",
  "ArnEquals",
  "ArnNotEquals",
  "ArnLike",
  "ArnNotLike",
].flatMap((name) => [name, `${name}IfExists`]);

interface Simulate {
  runSimulation(
    simulation: object,
    options: object,
  ): Promise<{ resultType?: string; overallResult?: string; errors?: unknown }>;
}

let peer: Simulate;

beforeAll(async () => {
  const folder = await installOnce(`iam-simulate-${VERSION}`, async (into) => {
    writeFileSync(join(into, "package.json"), '{ "private": true }');
    const install = [
      "install",
      "--ignore-scripts",
      "--no-audit",
      "--no-fund",
      `@cloud-copilot/iam-simulate@${VERSION}`,
    ];
    execFileSync("npm", install, { cwd: into, stdio: "pipe" });
  });
  const main = join(folder, "node_modules/@cloud-copilot/iam-simulate/dist/esm/index.js");
  peer = (await import(pathToFileURL(main).href)) as Simulate;
});

function ours(statements: readonly PolicyStatement[], context: string | undefined): boolean {
  const principal = principalOf(ALICE, TAGS);
  const encryptionContext = context === undefined ? {} : { "aws:s3:arn": context };
  const where = { region: "eu-west-1", accountId: ACCOUNT, nowMs: 0 };
  const policy = parsePolicy({ Version: "2012-10-17", Statement: statements }, "identity");
  return (
    askIdentityPolicies([policy], {
      principal,
      action: "kms:Decrypt",
      resource: KEY,
      context: requestContext(principal, { encryptionContext }, where),
    }) === "allows"
  );
}

async function theirs(statements: readonly PolicyStatement[], context: string | undefined): Promise<boolean> {
  const Statement = JSON.parse(JSON.stringify(statements).replaceAll(CONTEXT_KEY, STAND_IN)) as unknown;
  const delegating = { Effect: "Allow", Principal: { AWS: ACCOUNT }, Action: "kms:*", Resource: "*" };
  const answer = await peer.runSimulation(
    {
      request: {
        principal: ALICE,
        action: "kms:Decrypt",
        resource: { resource: KEY, accountId: ACCOUNT },
        contextVariables: {
          ...(context !== undefined && { [STAND_IN]: context }),
          "aws:PrincipalTag/team": TAGS.team,
        },
      },
      identityPolicies: [{ name: "asked", policy: { Version: "2012-10-17", Statement } }],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      resourcePolicy: { Version: "2012-10-17", Statement: [delegating] },
    },
    {},
  );
  if (answer.overallResult === undefined) throw new Error(JSON.stringify(answer));
  return answer.overallResult === "Allowed";
}

const allow = { Effect: "Allow", Action: "kms:Decrypt", Resource: "*" };

/** What both say where they differ, by context. */
async function differences(
  statements: readonly PolicyStatement[],
  contexts: readonly (string | undefined)[] = CONTEXTS,
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const context of contexts) {
    const [us, them] = [ours(statements, context), await theirs(statements, context)];
    if (us !== them) found.push(`${context}: we say ${us}, they ${them}`);
  }
  return found;
}

describe("the same answer as the other evaluator", () => {
  it.each(OPERATORS.flatMap((operator) => VALUES.map((values) => [operator, values] as const)))(
    "Allow %s %j",
    async (operator, values) => {
      expect(await differences([{ ...allow, Condition: { [operator]: { [CONTEXT_KEY]: values } } }])).toEqual(
        [],
      );
    },
  );

  it.each(OPERATORS.flatMap((operator) => VALUES.map((values) => [operator, values] as const)))(
    "Deny %s %j",
    async (operator, values) => {
      const Condition = { [operator]: { [CONTEXT_KEY]: values } };
      expect(await differences([allow, { ...allow, Effect: "Deny", Condition }])).toEqual([]);
    },
  );

  it.each(["true", "false"])("Null %s", async (value) => {
    expect(await differences([{ ...allow, Condition: { Null: { [CONTEXT_KEY]: value } } }])).toEqual([]);
  });

  it.each([
    ["kms:decrypt", "*"],
    ["kms:De*", KEY],
    ["kms:Decryp?", `arn:aws:kms:*:${ACCOUNT}:key/*`],
    ["kms:Encrypt", "*"],
    ["*", `arn:aws:kms:*:${ACCOUNT}:alias/*`],
    ["*", "arn:aws:kms:us-*:*:key/*"],
  ])("Action %s on %s", async (Action, Resource) => {
    expect(await differences([{ Effect: "Allow", Action, Resource }])).toEqual([]);
  });
});

/** A difference that goes away fails: then one of both has changed its mind. */
describe("another answer than the other evaluator", () => {
  it("where a negated operator meets a variable without a value: AWS documents that it holds", async () => {
    const Condition = { StringNotLike: { [CONTEXT_KEY]: `${BUCKET}/\${aws:PrincipalTag/nobody}/*` } };
    expect(await differences([{ ...allow, Condition }], [BUCKET])).toEqual([
      `${BUCKET}: we say true, they false`,
    ]);
  });

  it("where ArnNotLike meets a text that is no ARN: nobody documents it; `aws:s3:arn` always is one", async () => {
    const Condition = { ArnNotLike: { [CONTEXT_KEY]: BUCKET } };
    expect(await differences([{ ...allow, Condition }], ["text"])).toEqual(["text: we say true, they false"]);
  });
});
