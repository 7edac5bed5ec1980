import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import * as kms from "@aws-sdk/client-kms";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { BucketKeySetupError } from "../../src/errors.ts";
import { kmsLoader } from "../../src/envelope/kms-commands.ts";

const missing = (code: string): Error => Object.assign(new Error("Cannot find package"), { code });

describe("the commands of KMS", () => {
  it("are those of the SDK", async () => {
    const { DecryptCommand, GenerateDataKeyCommand } = await kmsLoader()();
    expect(DecryptCommand).toBe(kms.DecryptCommand);
    expect(GenerateDataKeyCommand).toBe(kms.GenerateDataKeyCommand);
  });

  it("are loaded when somebody asks, once", async () => {
    let loads = 0;
    const commands = kmsLoader(async () => (loads++, kms));
    expect(loads).toBe(0);
    const [first, second] = await Promise.all([commands(), commands()]);
    expect([first, second, await commands()]).toEqual([kms, kms, kms]);
    expect(loads).toBe(1);
  });

  it.each(["ERR_MODULE_NOT_FOUND", "MODULE_NOT_FOUND"])("say what to install upon %s", async (code) => {
    const cause = missing(code);
    const failed = kmsLoader(() => Promise.reject(cause))();
    await expect(failed).rejects.toThrow(BucketKeySetupError);
    await expect(failed).rejects.toMatchObject({
      message:
        "kmsKeyring needs the package @aws-sdk/client-kms, which isn't there: npm install @aws-sdk/client-kms",
      cause,
    });
  });

  it.each([new Error("bad build"), null, undefined])("hide no other fault: %s", async (fault) => {
    await expect(kmsLoader(() => Promise.reject(fault))()).rejects.toBe(fault);
  });

  it("are looked for again after a failure", async () => {
    const answers = [Promise.reject(missing("ERR_MODULE_NOT_FOUND")), Promise.resolve(kms)];
    const commands = kmsLoader(() => answers.shift() as Promise<typeof kms>);
    await expect(commands()).rejects.toThrow(BucketKeySetupError);
    expect(await commands()).toBe(kms);
  });
});

it("without the package, a keyring of one's own seals and opens; only kmsKeyring's calls fail", async () => {
  const folder = await mkdtemp(join(tmpdir(), "bucket-keys-no-kms-"));
  try {
    const program = `
      import { envelope, kmsKeyring, open, seal } from "./src/envelope/index.ts";
      const own = {
        keyId: "own",
        generate: async () => ({ plaintext: new Uint8Array(32).fill(7), blob: new Uint8Array(9) }),
        unwrap: async () => new Uint8Array(32).fill(7),
      };
      const sealer = envelope({ keyring: own });
      const { body, metadata } = await seal(sealer, "dear Ada");
      console.log(new TextDecoder().decode(await open(sealer, body, metadata)));
      const kms = envelope({ keyring: kmsKeyring({ client: { send: async () => ({}) }, keyId: "key" }) });
      const error = await seal(kms, "dear Ada").catch((failure) => failure);
      console.log(error.code, error.message.endsWith(": npm install @aws-sdk/client-kms"), error.cause.code);`;
    const { outputFiles } = await build({
      stdin: { contents: program, resolveDir: resolve(import.meta.dirname, "../.."), loader: "ts" },
      bundle: true,
      packages: "external",
      platform: "node",
      format: "esm",
      target: "es2023",
      write: false,
    });
    const file = join(folder, "program.mjs");
    await writeFile(file, outputFiles[0]?.text ?? "");
    const { stdout } = await promisify(execFile)(process.execPath, [file], { cwd: folder });
    expect(stdout.trim().split("\n")).toEqual(["dear Ada", "ERR_BUCKET_KEY_SETUP true ERR_MODULE_NOT_FOUND"]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
