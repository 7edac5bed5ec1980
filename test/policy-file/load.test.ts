import { writeFileSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from "node:fs/promises";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PolicyError } from "../../src/errors.ts";
import {
  loadPolicy,
  type LoadedPolicy,
  type LoadPolicyOptions,
  type PolicyText,
  type PolicyTextSource,
} from "../../src/policy-file/index.ts";
import type { PolicyChange } from "../../src/policy/source.ts";

const textOf = (...modes: readonly string[]): string =>
  `version: 1\nrules:\n${modes.map((mode, i) => `  - { id: r${i}, reason: x, mode: ${mode} }\n`).join("")}`;
const sealing = (envelope: string): string =>
  `version: 1\nrules:\n  - { id: vault, reason: x, envelope: ${envelope}, match: { buckets: [vault] } }\n`;
const GOOD = textOf("audit");
const BETTER = textOf("enforce");
const BAD = textOf("enforec");

let folder: string;
let file: string;
const open: LoadedPolicy[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bucket-keys-"));
  file = join(folder, "policy.yaml");
  await writeFile(file, GOOD);
});
afterEach(async () => {
  for (const policy of open.splice(0)) policy.close();
  await rm(folder, { recursive: true });
});

/** A policy that nothing looks at by itself, unless the options say so, and what its subscribers hear. */
async function load(
  source: string | URL | PolicyTextSource = file,
  options: LoadPolicyOptions = {},
): Promise<{ policy: LoadedPolicy; changes: PolicyChange[]; mode: () => unknown }> {
  const policy = await loadPolicy(source, { watch: false, pollSeconds: 3_600, ...options });
  open.push(policy);
  const changes: PolicyChange[] = [];
  policy.subscribe((change) => changes.push(change));
  return { policy, changes, mode: () => policy.current().policy?.rules?.[0]?.mode };
}

describe("the first load", () => {
  it("gives the policy of a path or a file URL", async () => {
    expect((await load()).mode()).toBe("audit");
    expect((await load(pathToFileURL(file))).mode()).toBe("audit");
  });

  it("rejects with every mistake at its place, when nobody says how to go on", async () => {
    await writeFile(file, `${BAD}  - { id: r0 }\n`);
    const error = await loadPolicy(file).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(PolicyError);
    expect((error as PolicyError).issues.map(({ code, at }) => [code, at])).toEqual([
      ["unknown-value", `${file}:3:32`],
      ["missing-field", `${file}:4:5`],
    ]);
    expect((error as PolicyError).message).toContain(`${file}:3:32: "enforec" isn't known here`);
  });

  it("rejects with the cause when the file can't be read", async () => {
    const error = await loadPolicy(join(folder, "nope.yaml")).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      name: "PolicyError",
      issues: [{ code: "unreadable" }],
      cause: { code: "ENOENT" },
    });
    expect((error as PolicyError).message).toMatch(
      /nope\.yaml: It could not be read \(ENOENT.*check the path/,
    );
  });

  it("rejects when a source of one's own gives something else than text", async () => {
    const source = { load: () => Promise.resolve({ text: 1, etag: "1" }) } as unknown as PolicyTextSource;
    const error = await loadPolicy(source).catch((caught: unknown) => caught);
    expect((error as PolicyError).message).toContain(
      "policy: It could not be read (load() gave no { text, etag })",
    );
  });

  it.each([0, -1, Number.NaN])("takes no %d for pollSeconds", async (pollSeconds) => {
    await expect(loadPolicy(file, { pollSeconds })).rejects.toThrow(RangeError);
  });

  it.each(["failclosed", "Fail-Closed", "", null, true])(
    "takes no %j for onError, and names what it takes, whether or not the file is good",
    async (onError) => {
      const options = { onError, watch: false } as unknown as LoadPolicyOptions;
      for (const text of [GOOD, BAD]) {
        await writeFile(file, text);
        const error = await loadPolicy(file, options).catch((caught: unknown) => caught);
        expect(error).toBeInstanceOf(RangeError);
        expect((error as RangeError).message).toBe(
          `onError is ${JSON.stringify(onError)}; it must be "fail-open" or "fail-closed", or be left out.`,
        );
      }
    },
  );

  it.each(["onerror", "failClosed", "constructor"])(
    "has no option %s, and names those it has",
    async (name) => {
      await expect(loadPolicy(file, { [name]: "fail-closed" })).rejects.toThrow(
        new RangeError(`loadPolicy has no option ${name}; it has onError, pollSeconds, watch.`),
      );
    },
  );

  it("takes options that are undefined as left out", async () => {
    const options = { onError: undefined, pollSeconds: undefined, watch: undefined };
    const policy = await loadPolicy(file, options as unknown as LoadPolicyOptions);
    open.push(policy);
    expect(policy.current().policy).toBeDefined();
  });

  it("doesn't read a file of 10 MB", async () => {
    await writeFile(file, Buffer.alloc(10_000_000, "x"));
    const error = await loadPolicy(file).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ issues: [{ code: "too-large", at: `${file}:1:1` }] });
  });

  it.each(["fail-open", "fail-closed"] as const)(
    "goes on with %s, and tells each subscriber once",
    async (onError) => {
      await writeFile(file, BAD);
      const { policy, changes, mode } = await load(file, { onError });
      expect(policy.current()).toEqual({ failure: onError });
      const late: PolicyChange[] = [];
      policy.subscribe((change) => late.push(change));
      await policy.reload();
      expect(changes).toEqual([
        { result: "rejected", snapshot: { failure: onError }, message: expect.any(String) },
      ]);
      expect(changes[0]?.message?.split("\n")).toEqual([
        `${file} can't be used. Going on without a policy (${onError}).`,
        expect.stringMatching(/:3:32: .*\(unknown-value\)$/),
      ]);
      expect(late).toEqual(changes);

      await writeFile(file, BETTER);
      await policy.reload();
      expect(changes[1]).toMatchObject({ result: "accepted" });
      expect(mode()).toBe("enforce");
      const later: PolicyChange[] = [];
      policy.subscribe((change) => later.push(change));
      await policy.reload();
      expect(later).toEqual([]);
    },
  );
});

describe("a reload", () => {
  it("takes a good text once", async () => {
    const { policy, changes, mode } = await load();
    await policy.reload();
    expect(changes).toEqual([]);
    await writeFile(file, BETTER);
    await policy.reload();
    await policy.reload();
    expect(changes).toEqual([
      { result: "accepted", snapshot: policy.current(), message: `${file} was reloaded.` },
    ]);
    expect(mode()).toBe("enforce");
  });

  it("keeps the last good policy, and announces each bad text once", async () => {
    const { policy, changes, mode } = await load();
    for (const text of [BAD, BAD, "version: 3\n", GOOD, BAD]) {
      await writeFile(file, text);
      await policy.reload();
    }
    expect(changes.map(({ result, message }) => [result, message?.split("\n")[1]])).toEqual([
      ["rejected", expect.stringContaining(':3:32: "enforec" isn\'t known here')],
      ["rejected", expect.stringContaining(":1:10: 3 isn't known here")],
      ["rejected", undefined],
    ]);
    expect(changes[0]?.message).toContain("The last good policy stays.");
    expect(mode()).toBe("audit");
    expect(changes[2]?.snapshot.policy?.rules?.[0]?.mode).toBe("audit");
  });

  it("turns down a policy whose own tests fail", async () => {
    const { policy, changes } = await load();
    const test =
      "tests: [{ name: t, request: { operation: PutObject, bucket: b }, expect: { rule: other } }]\n";
    await writeFile(file, BETTER + test);
    await policy.reload();
    expect(changes).toMatchObject([
      { result: "rejected", message: expect.stringContaining("(failed-test)") },
    ]);
  });

  it("keeps the last good policy when the file is gone, and says so once", async () => {
    const { policy, changes, mode } = await load();
    await unlink(file);
    await policy.reload();
    await policy.reload();
    expect(changes).toMatchObject([
      { result: "rejected", message: expect.stringContaining("could not be read") },
    ]);
    await writeFile(file, BETTER);
    await policy.reload();
    expect(mode()).toBe("enforce");
  });

  it("never ends sealing in silence", async () => {
    await writeFile(file, sealing("seal"));
    const { policy, changes } = await load();
    await writeFile(file, GOOD);
    await policy.reload();
    expect(changes[0]).toMatchObject({
      result: "rejected",
      message: expect.stringMatching(/Rule vault .*\(sealing-changed\)/),
    });
    expect(policy.current().policy?.rules?.[0]?.id).toBe("vault");
    await writeFile(file, sealing("unseal"));
    await policy.reload();
    expect(changes[1]?.result).toBe("accepted");
  });

  it("takes no text that is still being written", async () => {
    const { policy, changes } = await load();
    const whole = textOf("enforce", "enforce", "enforce");
    await writeFile(file, textOf("enforce"));
    const reloaded = policy.reload();
    setTimeout(() => writeFileSync(file, whole), 20);
    await reloaded;
    expect(changes).toHaveLength(1);
    expect(changes[0]?.snapshot.policy?.rules).toHaveLength(3);
  });

  it("goes on when a subscriber throws, and is silent to one that left", async () => {
    const { policy, changes } = await load();
    policy.subscribe(() => {
      throw new Error("broken");
    });
    const left = vi.fn();
    policy.subscribe(left)();
    const next = vi.fn();
    policy.subscribe(next);
    await writeFile(file, BETTER);
    await policy.reload();
    expect(changes).toHaveLength(1);
    expect(next).toHaveBeenCalledOnce();
    expect(left).not.toHaveBeenCalled();
  });

  it("that is asked for during another looks once more", async () => {
    let text = GOOD;
    let loads = 0;
    const source: PolicyTextSource = {
      async load() {
        loads++;
        const found = text;
        await new Promise((resolve) => setTimeout(resolve, 20));
        return { text: found, etag: found };
      },
    };
    const { policy, mode } = await load(source);
    const first = policy.reload();
    text = BETTER;
    await Promise.all([first, policy.reload(), policy.reload()]);
    expect(mode()).toBe("enforce");
    expect(loads).toBe(3);
  });
});

describe("following a file", () => {
  const soon = { timeout: 5_000, interval: 20 };

  it("notices a change by watching", async () => {
    const { mode } = await load(file, { watch: true });
    await writeFile(file, BETTER);
    await vi.waitFor(() => expect(mode()).toBe("enforce"), soon);
  });

  it("notices another file renamed into its place, again and again", async () => {
    const { mode, changes } = await load(file, { watch: true });
    for (const [text, wanted] of [
      [BETTER, "enforce"],
      [textOf("off"), "off"],
      [GOOD, "audit"],
    ] as const) {
      await writeFile(`${file}.new`, text);
      await rename(`${file}.new`, file);
      await vi.waitFor(() => expect(mode()).toBe(wanted), soon);
    }
    expect(changes.map(({ result }) => result)).toEqual(["accepted", "accepted", "accepted"]);
  });

  it("notices a swapped symbolic link, as Kubernetes updates config maps", async () => {
    for (const [version, text] of [
      ["v1", GOOD],
      ["v2", BETTER],
    ] as const) {
      await mkdir(join(folder, version));
      await writeFile(join(folder, version, "config.yaml"), text);
    }
    await symlink("v1", join(folder, "..data"));
    await symlink(join("..data", "config.yaml"), join(folder, "config.yaml"));
    const { mode } = await load(join(folder, "config.yaml"), { watch: true });
    await symlink("v2", join(folder, "..data_tmp"));
    await rename(join(folder, "..data_tmp"), join(folder, "..data"));
    await vi.waitFor(() => expect(mode()).toBe("enforce"), soon);
  });

  it("notices a change by polling, where watching isn't to be had", async () => {
    const { mode } = await load(file, { watch: false, pollSeconds: 0.05 });
    await writeFile(file, BETTER);
    await vi.waitFor(() => expect(mode()).toBe("enforce"), soon);
  });

  it("polls a source of one's own", async () => {
    let text = GOOD;
    const fromStore = (): Promise<PolicyText> => Promise.resolve({ text, etag: text });
    const { mode, changes } = await load(
      { name: "s3://config/policy", load: fromStore },
      { pollSeconds: 0.02 },
    );
    text = BAD;
    await vi.waitFor(() => expect(changes).toHaveLength(1), soon);
    expect(changes[0]?.message).toContain("s3://config/policy:3:32");
    text = BETTER;
    await vi.waitFor(() => expect(mode()).toBe("enforce"), soon);
  });

  it("waits between polls, give or take a fifth", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const seen = vi.fn(() => Promise.resolve({ text: GOOD, etag: "1" }));
      await load({ load: seen }, { pollSeconds: 10 });
      await vi.advanceTimersByTimeAsync(7_900);
      expect(seen).toHaveBeenCalledTimes(1);
      await vi.advanceTimersByTimeAsync(4_200);
      expect(seen).toHaveBeenCalledTimes(2);
    } finally {
      vi.useRealTimers();
    }
  });

  it("polls in the far future when told to, and not at once", async () => {
    const seen = vi.fn(() => Promise.resolve({ text: GOOD, etag: "1" }));
    await load({ load: seen }, { pollSeconds: Infinity });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(seen).toHaveBeenCalledTimes(1);
  });

  it("trusts the stamp of a file that is minutes old, and still notices a change", async () => {
    const { policy, changes } = await load();
    vi.spyOn(Date, "now").mockReturnValue(Date.now() + 60_000);
    try {
      await policy.reload();
      expect(changes).toEqual([]);
      await writeFile(file, BETTER);
      await policy.reload();
      await policy.reload();
    } finally {
      vi.restoreAllMocks();
    }
    expect(changes.map(({ result }) => result)).toEqual(["accepted"]);
  });

  it("ends with close, even in the middle of a look", async () => {
    const seen = vi.fn(
      () =>
        new Promise<{ text: string; etag: string }>((resolve) => {
          setTimeout(
            () =>
              resolve({
                text: seen.mock.calls.length === 1 ? GOOD : BETTER,
                etag: `${seen.mock.calls.length}`,
              }),
            30,
          );
        }),
    );
    const { policy, changes, mode } = await load({ load: seen }, { pollSeconds: 0.01 });
    await vi.waitFor(() => expect(seen).toHaveBeenCalledTimes(2), soon);
    policy.close();
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(seen).toHaveBeenCalledTimes(2);
    expect(changes).toEqual([]);
    expect(mode()).toBe("audit");
  });

  it("keeps no process alive", () => {
    const program = `import { loadPolicy } from "./src/policy-file/index.ts";
      const policy = await loadPolicy(${JSON.stringify(file)}, { pollSeconds: 1000 });
      console.log(policy.current().policy.rules.length);`;
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ["--import", "tsx", "--input-type=module", "--eval", program],
      { timeout: 15_000, encoding: "utf8" },
    );
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "1\n", stderr: "" });
  });
});
