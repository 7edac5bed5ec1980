/** `simulate`, run inside the test: what it starts, what it says, and what it refuses to start. */
import { readFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { S3 } from "@aws-sdk/client-s3";
import { describe, expect, it, vi } from "vitest";
import { run } from "../../src/cli/run.ts";

const SECRET = "do-not-print-me";
const ALICE = {
  accessKeyId: "ALICE",
  secretAccessKey: SECRET,
  principalArn: "arn:aws:iam::111122223333:role/alice",
};
const FILES: Readonly<Record<string, string>> = {
  "who.json": JSON.stringify([ALICE, { accessKeyId: "BOB", secretAccessKey: "b", sessionToken: "t" }]),
  "broken.json": `[{ "accessKeyId": "ALICE",\n  "secretAccessKey": "${SECRET}" oops }]`,
  "object.json": JSON.stringify(ALICE),
  "empty.json": "[]",
  "odd.json": JSON.stringify([
    ALICE,
    { ...ALICE, principal: "x" },
    { accessKeyId: `A ${SECRET}`, secretAccessKey: "" },
    { accessKeyId: "C", principalArn: SECRET, secretAccessKey: "c" },
    SECRET,
  ]),
};

class Running {
  out = "";
  err = "";
  stop: () => void = () => {};
  readonly code: Promise<number>;

  constructor(args: readonly string[]) {
    const stopped = new Promise<void>((resolve) => (this.stop = resolve));
    this.code = run(["simulate", ...args], {
      out: (text) => (this.out += text),
      err: (text) => (this.err += text),
      readFile: (path) => {
        const text = FILES[path];
        return text === undefined ? Promise.reject(new Error(`ENOENT: ${path}`)) : Promise.resolve(text);
      },
      readInput: () => Promise.resolve(""),
      untilStopped: () => stopped,
      writeFile: () => Promise.resolve(),
      colour: false,
      now: new Date(),
    });
  }

  /** What is exported to the shell, once it is there. */
  async environment(): Promise<Readonly<Record<string, string>>> {
    await vi.waitUntil(() => this.out !== "", { timeout: 5_000, interval: 10 });
    return Object.fromEntries(
      [...this.out.matchAll(/^export (\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]),
    );
  }
}

/** Starts it, lets `work` use a client made of the printed environment, stops it. */
async function simulated(
  args: readonly string[],
  work: (s3: S3, running: Running) => Promise<void> = () => Promise.resolve(),
  secretAccessKey?: string,
): Promise<Running & { readonly exitCode: number }> {
  const running = new Running(["--port", "0", ...args]);
  const env = await running.environment();
  const s3 = new S3({
    endpoint: env["AWS_ENDPOINT_URL"] ?? "",
    region: env["AWS_REGION"] ?? "",
    credentials: {
      accessKeyId: env["AWS_ACCESS_KEY_ID"] ?? "",
      secretAccessKey: env["AWS_SECRET_ACCESS_KEY"] ?? secretAccessKey ?? "",
    },
    maxAttempts: 1,
  });
  try {
    await work(s3, running);
  } finally {
    s3.destroy();
    running.stop();
  }
  return Object.assign(running, { exitCode: await running.code });
}

const kms = { ServerSideEncryption: "aws:kms" } as const;

describe("a simulator that runs", () => {
  it("prints an environment for a shell, and for people where it is", async () => {
    const { out, err, exitCode } = await simulated(["--region", "us-east-1", "--bucket", "lake"]);
    expect(out).toMatch(
      /^export AWS_ENDPOINT_URL=http:\/\/127\.0\.0\.1:\d+\nexport AWS_REGION=us-east-1\nexport AWS_DEFAULT_REGION=us-east-1\nexport AWS_ACCESS_KEY_ID=\w+\nexport AWS_SECRET_ACCESS_KEY=\w+\nunset AWS_PROFILE AWS_SESSION_TOKEN\n$/,
    );
    expect(err).toContain("bucket   lake\n");
    expect(err).toContain("/_simulator/kms-requests\n");
    expect(exitCode).toBe(0);
  });

  it("has the buckets and KMS keys that were asked for", async () => {
    const id = "1234abcd-12ab-34cd-56ef-1234567890ab";
    const arn = "arn:aws:kms:eu-west-1:444455556666:key/policy-key";
    const args = ["--account", "444455556666", "--bucket", "lake", "--bucket", "raw"];
    const keys = ["--kms-key", id, "--kms-key", arn, "--kms-key", "alias/lake"];
    const { err } = await simulated([...args, ...keys], async (s3) => {
      const { Buckets } = await s3.listBuckets();
      expect(Buckets?.map(({ Name }) => Name)).toEqual(["lake", "raw"]);
      for (const SSEKMSKeyId of [id, arn, "alias/lake"]) {
        await s3.putObject({ Bucket: "lake", Key: "k", Body: "x", ...kms, SSEKMSKeyId });
      }
    });
    expect(err).toContain(`KMS key  arn:aws:kms:eu-west-1:444455556666:key/${id}\n`);
    expect(err).toMatch(/KMS key {2}arn:aws:kms:eu-west-1:444455556666:key\/[\w-]+ \(alias\/lake\)\n/);
  });

  it("has a KMS key under an ARN or id and an alias at once", async () => {
    const [id, arn] = ["a-key", "arn:aws:kms:eu-west-1:111122223333:key/b-key"];
    const keys = ["--kms-key", `${id}=alias/a`, "--kms-key", `${arn}=alias/team/b`];
    const { err } = await simulated(["--bucket", "lake", ...keys], async (s3) => {
      const put = { Bucket: "lake", Key: "k", Body: "x", ...kms };
      const byAlias = await s3.putObject({ ...put, SSEKMSKeyId: "alias/team/b" });
      const byId = await s3.putObject({ ...put, SSEKMSKeyId: id });
      const byOther = await s3.putObject({ ...put, SSEKMSKeyId: "alias/a" });
      expect(byAlias.SSEKMSKeyId).toBe(arn);
      expect(byOther.SSEKMSKeyId).toBe(byId.SSEKMSKeyId);
    });
    expect(err).toContain(`KMS key  ${arn} (alias/team/b)\n`);
  });

  it("answers rows of which nobody knows what AWS does as it's told, else says how to tell it", async () => {
    const flagAlone = { Bucket: "lake", Key: "k", Body: "x", BucketKeyEnabled: true };
    const said = async (args: readonly string[]): Promise<string> => {
      let answer = "";
      await simulated(["--bucket", "lake", ...args], async (s3) => {
        answer = await s3.putObject(flagAlone).then(
          ({ ServerSideEncryption: sse }) => `${sse}`,
          (error: Error) => `${error.name}: ${error.message}`,
        );
      });
      return answer;
    };
    expect(await said(["--unknown-row", "R17=error", "--unknown-row", "R8=ignore"])).toBe("AES256");
    expect(await said(["--unknown-row", "R8=error"])).toMatch(/^InvalidArgument: /);
    const open = await said(["--unknown-row", "R17=ignore"]);
    expect(open).toMatch(
      /^SimulatorUnknownRow: .*--unknown-row R8=error\|ignore; .*with PutBucketEncryption/,
    );
  });

  it("says what is new now and then, and at the end what S3 asked of KMS in all", async () => {
    const { err } = await simulated(["--bucket", "lake", "--every", "0.1"], async (s3, running) => {
      for (const Key of ["a", "b"]) await s3.putObject({ Bucket: "lake", Key, Body: "x", ...kms });
      await vi.waitFor(() =>
        expect(running.err).toMatch(/2 KMS requests by S3 \(simulated\): 2 GenerateDataKey\n/),
      );
      await s3.putObject({ Bucket: "lake", Key: "c", Body: "x", ...kms, BucketKeyEnabled: true });
      await s3.getObject({ Bucket: "lake", Key: "a" });
      await vi.waitFor(() => expect(running.err).toMatch(/4 KMS requests by S3 \(simulated\), \+\d: /));
    });
    const lines = err.split("\n").filter((line) => /^\d\d:\d\d:\d\d {2}/.test(line));
    // Only when there is news.
    expect(lines.length).toBeLessThanOrEqual(3);
    expect(err.slice(err.lastIndexOf("\n\n"))).toBe(
      `\n
requests  action           level   bucket
       2  GenerateDataKey  object  lake
       1  GenerateDataKey  bucket  lake
       1  Decrypt          object  lake
       4  in all
`,
    );
  });

  it("speaks JSON, one event a line, to programs", async () => {
    const running = new Running(["--port", "0", "--format", "json", "--every", "0.1", "--bucket", "lake"]);
    await running.environment();
    const first = JSON.parse(running.out) as { endpoint: string; environment: Record<string, string> };
    expect(first).toMatchObject({
      event: "listening",
      accountId: "111122223333",
      environment: { AWS_ENDPOINT_URL: first.endpoint, AWS_REGION: "eu-west-1" },
      buckets: ["lake"],
      kmsKeys: [],
    });
    await fetch(`${first.endpoint}/lake/k`, {
      method: "PUT",
      body: "x",
      headers: {
        authorization: "AWS4-HMAC-SHA256 Credential=A/x, Signature=0",
        "x-amz-server-side-encryption": "aws:kms",
      },
    });
    await vi.waitFor(() =>
      expect(running.out).toContain('{"event":"kms-requests","simulated":true,"total":1}\n'),
    );
    running.stop();
    expect([await running.code, running.err]).toEqual([0, ""]);
    expect(JSON.parse(running.out.trim().split("\n").at(-1) ?? "")).toMatchObject({
      event: "stopped",
      simulated: true,
      total: 1,
      requests: [{ action: "GenerateDataKey", bucket: "lake", count: 1 }],
    });
  });

  it("is quiet when told to", async () => {
    const { out, err } = await simulated(["--quiet", "--bucket", "lake"], async (s3) => {
      await s3.putObject({ Bucket: "lake", Key: "a", Body: "x", ...kms });
    });
    expect(out).toContain("export AWS_ENDPOINT_URL=");
    expect(err).toBe("");
  });

  it("says so when S3 asked nothing of KMS", async () => {
    expect((await simulated([])).err).toMatch(/S3 made no KMS requests \(simulated\)\.\n$/);
  });

  it("keeps a bucket key as long as it's told", async () => {
    const { err } = await simulated(["--bucket", "lake", "--lifetime", "0"], async (s3) => {
      const put = { Bucket: "lake", Key: "k", Body: "x", ...kms, BucketKeyEnabled: true };
      for (let i = 0; i < 3; i++) await s3.putObject(put);
    });
    expect(err).toContain("       3  GenerateDataKey  bucket  lake\n");
  });
});

describe("credentials of a file", () => {
  it("say who asks, and their secrets are shown nowhere", async () => {
    const args = ["--credentials", "who.json", "--verify-signatures", "--bucket", "lake"];
    const { out, err } = await simulated(
      args,
      async (s3, running) => {
        await s3.putObject({ Bucket: "lake", Key: "a", Body: "x", ...kms });
        const { AWS_ENDPOINT_URL: endpoint = "" } = await running.environment();
        const asked = (await (await fetch(`${endpoint}/_simulator/kms-requests`)).json()) as {
          requests: unknown[];
        };
        expect(asked.requests).toMatchObject([{ requester: ALICE.principalArn }]);
      },
      SECRET,
    );
    expect(out).toContain("export AWS_ACCESS_KEY_ID=ALICE\n");
    expect(out).toContain("# AWS_SECRET_ACCESS_KEY: that of ALICE in who.json\n");
    expect(out + err).not.toContain(SECRET);
    expect(out).not.toContain("export AWS_SECRET_ACCESS_KEY");
  });

  it("are needed, rightly, where signatures are verified", async () => {
    const wrong = simulated(
      ["--credentials", "who.json", "--verify-signatures"],
      async (s3) => void (await s3.listBuckets()),
      "another secret",
    );
    await expect(wrong).rejects.toMatchObject({ name: "SignatureDoesNotMatch" });
  });

  it.each([
    ["nope.json", /--credentials nope\.json could not be read \(ENOENT.*check the path\./],
    ["broken.json", /broken\.json:2:40: this is no JSON\. Write a list such as/],
    ["object.json", /object\.json: write a list such as/],
    ["empty.json", /empty\.json: write a list such as/],
    [
      "odd.json",
      new RegExp(
        [
          /odd\.json: \[1\] has a field principal: there are accessKeyId, .*/,
          /odd\.json: \[2\]\.accessKeyId is no text without spaces\./,
          /odd\.json: \[2\]\.secretAccessKey is no text without spaces\./,
          /odd\.json: \[2\]\.accessKeyId takes letters, digits .*/,
          /odd\.json: \[3\]\.principalArn is no ARN of a user or a role: .*/,
          /odd\.json: \[4\] is no object: .*/,
          /odd\.json: \[1\] has the accessKeyId of \[0\]\./,
        ]
          .map(({ source }) => source)
          .join("\n"),
      ),
    ],
  ])("of %s are refused, with all that is wrong and no secret", async (file, says) => {
    const running = new Running(["--port", "0", "--credentials", file]);
    expect(await running.code).toBe(2);
    expect(running.err).toMatch(says);
    expect(running.out + running.err).not.toContain(SECRET);
  });
});

function optionsOf(text: string): string[] {
  return [...new Set(text.match(/(?<=[\s`])--[a-z-]+/g))].toSorted();
}

describe("the help", () => {
  it("names options that docs/simulator.md has, and the other way round", async () => {
    const running = new Running(["--help"]);
    expect(await running.code).toBe(0);
    const page = readFileSync(new URL("../../docs/simulator.md", import.meta.url), "utf8");
    const rows = page.split("\n").filter((line) => line.startsWith("| `--"));
    const [, options = ""] = /\nOptions:\n([\s\S]*?)\n\n/.exec(running.out) ?? [];
    expect(optionsOf(options).filter((option) => option !== "--help")).toEqual(optionsOf(rows.join("\n")));
  });
});

describe("a simulator that can't start", () => {
  it("says that the port is taken, and what to do", async () => {
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, "127.0.0.1", resolve));
    const { port } = blocker.address() as AddressInfo;
    const running = new Running(["--port", `${port}`]);
    expect(await running.code).toBe(2);
    await new Promise((resolve) => blocker.close(resolve));
    expect(running.err).toBe(
      `error: Port ${port} is taken: stop what listens there, or take another with --port ${port + 1}, or --port 0 for any that is free.\n`,
    );
    expect(running.out).toBe("");
  });

  it.each([
    [["--port", "65536"], /Write a port, 0 to 65535/],
    [["--region", "Ireland"], /Write a Region, such as eu-west-1/],
    [["--account", "123"], /Write twelve digits/],
    [["--lifetime", "-1"], /Write seconds, zero or more/],
    [["--every", "0"], /Write seconds, 0\.1 to 86400/],
    [["--format", "xml"], /Allowed choices are text, json/],
    [["--bucket", "My_Bucket"], /--bucket My_Bucket: The specified bucket is not valid\. A name has 3 to 63/],
    [["--bucket", "lake", "--bucket", "lake"], /--bucket lake: .*already own it.* once/],
    [["--kms-key", "a b"], /--kms-key a b: write a key id, a key ARN, or alias\/NAME/],
    [["--kms-key", "k=lake"], /--kms-key k=lake: write a key id, .* ARN=alias\/NAME/],
    [["--kms-key", "=alias/lake"], /--kms-key =alias\/lake: write a key id/],
    [["--kms-key", "k=alias/a=b"], /--kms-key k=alias\/a=b: write a key id/],
    [["--kms-key", "alias/lake", "--kms-key", "k=alias/lake"], /--kms-key k=alias\/lake: .*already exists/],
    [["--unknown-row", "R1=ignore"], /ROW is R8, R17, R19, R20, R21, R22, R24, R30, U4, U8\./],
    [["--unknown-row", "R8"], /Write ROW=error or ROW=ignore, for U4 also U4=apply/],
    [["--unknown-row", "R8=apply"], /'R8=apply' is invalid\. Write ROW=error/],
    [["--unknown-row", "R8=error=ignore"], /'R8=error=ignore' is invalid\. Write ROW=error/],
    [["--unknown-row", "R8=error", "--unknown-row", "R8=ignore"], /R8=error was said before/],
    [["--kms-key", "alias/aws/s3"], /--kms-key alias\/aws\/s3: .*reserved/],
    [
      ["--kms-key", "arn:aws:kms:us-east-1:111122223333:key/k"],
      /is account 111122223333 in eu-west-1; say --account/,
    ],
    [["lake"], /too many arguments/],
  ])("%j says why", async (args, says) => {
    const running = new Running(["--port", "0", ...args]);
    expect(await running.code).toBe(2);
    expect(running.err).toMatch(says);
    expect(running.out).toBe("");
  });
});
