import { getEventListeners } from "node:events";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ByteBudget } from "../../src/envelope/byte-budget.ts";
import { v3ContentKey } from "../../src/envelope/content-key.ts";
import { EnvelopeRefusedError } from "../../src/envelope/errors.ts";
import { Upload } from "../../src/envelope/upload.ts";
import { AT, bench, type Fate, hold, NAME, problemOf, refusal } from "./fake-upload.ts";
import { watchMemory } from "./memory.ts";

const ZEROS = new Uint8Array(32);

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("the end of an upload", () => {
  const ends: [string, (made: ReturnType<typeof bench>) => unknown, string][] = [
    ["Abort", (made) => made.abort(), "upload-state"],
    ["close()", (made) => made.uploads.close(), "closed"],
  ];

  it.each(ends)("by %s wipes the key and fails what waits or is under way", async (_, end, problem) => {
    const slow = hold<Fate>();
    const gates: (Fate | Promise<Fate>)[] = [slow.promise];
    const budget = new ByteBudget(100);
    const made = bench({ budget, partBytes: 60 }, () => gates.shift() ?? "ok");
    const { part, secret, uploads, scope } = made;
    const underWay = [
      part(1, Buffer.alloc(60)),
      part(2, new Readable({ read: () => undefined }), { ContentLength: 20 }),
      part(3, Buffer.alloc(60)),
    ].map(problemOf);
    await sleep(2);
    const ended = end(made);
    expect(secret).toEqual(ZEROS);
    expect([uploads.size, uploads.owns(scope, NAME)]).toEqual([0, true]);
    expect(await Promise.all(underWay)).toEqual([problem, problem, problem]);
    await ended;
    // The memory of a request that is still under way counts until it has ended.
    let granted = false;
    const room = budget.take(100).then((release) => ((granted = true), release));
    await sleep(2);
    expect(granted).toBe(false);
    slow.release("ok");
    (await room)();
  });

  it.each(ends)("by %s fails parts that wait for part 1", async (_, end, problem) => {
    const made = bench();
    const waiting = [made.part(2, "x"), made.part(3, Readable.from(["x"]))].map(problemOf);
    await end(made);
    expect(await Promise.all(waiting)).toEqual([problem, problem]);
    expect(made.s3.sent).toHaveLength(0);
  });

  it.each(ends)("by %s fails a Complete before it's sent, not one that was", async (_, end, problem) => {
    for (const answered of [1, 2]) {
      const slow = hold<Fate>();
      const gates: (Fate | Promise<Fate>)[] = ["ok", "ok"].slice(0, answered) as Fate[];
      gates.push(slow.promise);
      const made = bench({}, () => gates.shift() ?? "ok");
      const list = [await made.part(1, "x")];
      const completing = made.complete(list);
      await sleep(2);
      const ended = end(made);
      slow.release("ok");
      expect(await problemOf(completing)).toBe([problem, "sent"][answered - 1]);
      await ended;
      await sleep(1);
      expect(made.s3.completes).toHaveLength(answered - 1);
    }
  });

  it("by Abort reaches any number of parts, without a warning of Node about so many", async () => {
    const warnings: string[] = [];
    const listen = (warning: Error): void => void warnings.push(warning.name);
    process.on("warning", listen);
    const { part, abort } = bench();
    const waiting = Array.from({ length: 40 }, (_, i) => problemOf(part(i + 2, "")));
    await abort();
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(["upload-state"]));
    await sleep(5);
    process.off("warning", listen);
    expect(warnings).toEqual([]);
  });

  it("by Abort is told to S3 with the caller's input, and there's no way back", async () => {
    const { uploads, call, part, complete, s3 } = bench();
    const list = [await part(1, "x")];
    await uploads.abort(call("AbortMultipartUpload", { RequestPayer: "requester" }));
    expect(s3.aborts).toEqual([{ ...AT, RequestPayer: "requester" }]);
    await expect(part(1, "x")).rejects.toMatchObject(refusal("upload-state"));
    await expect(complete(list)).rejects.toMatchObject(refusal("upload-state"));
    await uploads.abort(call("AbortMultipartUpload", {}));
    expect(s3.aborts).toHaveLength(2);
  });

  it("by close() is one of every upload, and none begins after it", async () => {
    const { uploads, call, part, scope, secret } = bench();
    const other = v3ContentKey(new Uint8Array(32).fill(7));
    uploads.open({}, NAME, other, () => undefined);
    uploads.close();
    expect([secret, other.bytes, uploads.size]).toEqual([ZEROS, ZEROS, 0]);
    await expect(part(1, "x")).rejects.toMatchObject(refusal("closed"));
    const late = v3ContentKey(new Uint8Array(32).fill(8));
    expect(() => uploads.open(scope, NAME, late, () => undefined)).toThrow(
      expect.objectContaining(refusal("closed")),
    );
    expect([late.bytes, uploads.size]).toEqual([ZEROS, 0]);
    const plain = { PartNumber: 1, Body: "plain", UploadId: "upload-2" };
    await expect(uploads.part(call("UploadPart", plain))).rejects.toMatchObject(refusal("closed"));
    await uploads.part(call("UploadPart", plain, { place: "unseal" }));
    uploads.close();
  });

  it("by idleness wipes the key without any traffic, and keeps no process alive", async () => {
    vi.useFakeTimers();
    const { uploads, secret, scope, part } = bench({ idleSeconds: 10 });
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(9_999);
    await part(1, "x");
    await vi.advanceTimersByTimeAsync(9_999);
    expect([uploads.size, vi.getTimerCount()]).toEqual([1, 1]);
    expect(secret).not.toEqual(ZEROS);
    await vi.advanceTimersByTimeAsync(1);
    expect([uploads.size, uploads.owns(scope, NAME), vi.getTimerCount()]).toEqual([0, true, 0]);
    expect(secret).toEqual(ZEROS);
    await expect(part(1, "x")).rejects.toMatchObject(refusal("upload-state"));
  });

  it("doesn't come by idleness while calls are under way, however slow", async () => {
    vi.useFakeTimers();
    const [slow, slower] = [hold<Fate>(), hold<Fate>()];
    const gates = [slow.promise, slower.promise];
    const { uploads, part } = bench({ idleSeconds: 10, partBytes: 40 }, () => gates.shift()!);
    const [first, second] = [part(1, Buffer.alloc(40)), part(2, "x")];
    await vi.advanceTimersByTimeAsync(60_000);
    slow.release("ok");
    await first;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(uploads.size).toBe(1);
    slower.release("ok");
    await second;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(uploads.size).toBe(0);
  });

  it("comes after an hour unless said otherwise, and no number is too large", async () => {
    vi.useFakeTimers();
    const { uploads } = bench();
    await vi.advanceTimersByTimeAsync(3_599_999);
    expect(uploads.size).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(uploads.size).toBe(0);
    const patient = bench({ idleSeconds: 1e9 });
    await vi.advanceTimersByTimeAsync(2 ** 31 - 2);
    expect(patient.uploads.size).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(patient.uploads.size).toBe(0);
  });

  it("comes five minutes after a Complete, for those who repeat one whose answer was lost", async () => {
    vi.useFakeTimers();
    const { uploads, part, complete, s3 } = bench();
    const list = [await part(1, "x")];
    await complete(list);
    await vi.advanceTimersByTimeAsync(299_999);
    await complete(list);
    expect(s3.completes).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(299_999);
    expect(uploads.size).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(uploads.size).toBe(0);
    const brief = bench({ idleSeconds: 10 });
    await brief.complete([await brief.part(1, "x")]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(brief.uploads.size).toBe(0);
  });

  it("leaves no timer behind, and none that would hold the process", async () => {
    const before = process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
    const { part, abort } = bench();
    const waiting = problemOf(part(2, "x"));
    await abort();
    expect(await waiting).toBe("upload-state");
    bench();
    expect(process.getActiveResourcesInfo().filter((kind) => kind === "Timeout")).toHaveLength(before);
  });
});

describe("an upload that is gone", () => {
  const over =
    "its key is gone, and nothing may be added to it. Begin a new one; if S3 still has this one, abort it.";
  const ends: [string, (made: ReturnType<typeof bench>) => unknown, string, string][] = [
    ["was aborted", (made) => made.abort(), "upload-state", `The sealed upload was aborted: ${over}`],
    [
      "was idle",
      () => vi.advanceTimersByTimeAsync(10_000),
      "upload-state",
      `The sealed upload was given up, as no call came for as long as the option uploadIdleSeconds says: ${over}`,
    ],
    [
      "was completed a while ago",
      async ({ part, complete }) => {
        await complete([await part(1, "x")]);
        await vi.advanceTimersByTimeAsync(10_000);
      },
      "upload-state",
      `The sealed upload was completed: ${over}`,
    ],
    ["ended with its sealer", (made) => made.uploads.close(), "closed", "The sealer was closed."],
  ];

  it.each(ends)(
    "because it %s takes no part and no Complete, wherever it is",
    async (_, end, problem, says) => {
      vi.useFakeTimers();
      const made = bench({ idleSeconds: 10 });
      const { uploads, call, s3, scope } = made;
      await end(made);
      const before = [s3.sent.length, s3.completes.length];
      expect([uploads.size, uploads.owns(scope, NAME), uploads.owns({}, NAME)]).toEqual([0, true, false]);
      for (const place of ["seal", "unseal"] as const) {
        for (const presigning of [false, true]) {
          const part = call("UploadPart", { PartNumber: 2, Body: "plain" }, { place, presigning });
          const complete = call(
            "CompleteMultipartUpload",
            { MultipartUpload: { Parts: [] } },
            { place, presigning },
          );
          const refused = { ...refusal(problem), message: says };
          await expect(uploads.part(part)).rejects.toMatchObject(refused);
          await expect(uploads.complete(complete)).rejects.toMatchObject(refused);
        }
      }
      expect([s3.sent.length, s3.completes.length]).toEqual(before);
    },
  );

  it("may be aborted, as S3 may still have it", async () => {
    vi.useFakeTimers();
    const { uploads, call, s3, scope } = bench({ idleSeconds: 10 });
    await vi.advanceTimersByTimeAsync(10_000);
    await uploads.abort(call("AbortMultipartUpload", {}, { place: "unseal" }));
    expect(s3.aborts).toEqual([AT]);
    expect(uploads.owns(scope, NAME)).toBe(true);
  });

  it("gives way to a new one where a server gives an id again", async () => {
    const { uploads, call, abort, scope, s3 } = bench();
    await abort();
    const content = v3ContentKey(new Uint8Array(32).fill(5));
    uploads.open(scope, NAME, content, () => undefined);
    await uploads.part(call("UploadPart", { PartNumber: 1, Body: "dear Ada" }, { place: "unseal" }));
    expect(s3.sent[0]!.body).toHaveLength(8);
    expect(s3.sent[0]!.body.toString()).not.toBe("dear Ada");
    await abort();
    expect([uploads.size, uploads.owns(scope, NAME)]).toEqual([0, true]);
  });
});

it("listens for its end only while something is under way, so that 10,000 parts leave nothing behind", async () => {
  const limits = { partBytes: 40, idleMs: 1000, waitMs: 1000, waitingBytes: 0, budget: new ByteBudget(100) };
  const key = v3ContentKey(new Uint8Array(32).fill(6));
  const s3 = { maxParts: 10_000, minPartBytes: 32 };
  const upload = new Upload(
    key,
    { ...limits, s3 },
    () => undefined,
    () => undefined,
  );
  const slow = hold<string>();
  const answered = upload.orGone(() => slow.promise);
  expect(getEventListeners(upload.signal, "abort")).toHaveLength(1);
  slow.release("sent");
  expect(await answered).toBe("sent");
  await expect(upload.orGone(() => Promise.reject(new Error("503")))).rejects.toThrow("503");
  expect(getEventListeners(upload.signal, "abort")).toEqual([]);
  upload.end(new EnvelopeRefusedError("closed", "The end."));
});

describe("an upload that refuses", () => {
  const whole =
    "A sealed upload is completed with exactly the parts that were sent through this client, 1 to the last, each with " +
    "the ETag that S3 answered: list those, or abort it and begin a new one.";

  it.each<[string, (made: ReturnType<typeof bench>) => Promise<unknown>, string]>([
    [
      "a part after its Complete",
      async ({ part, complete }) => {
        await complete([await part(1, "x")]);
        await part(1, "x");
      },
      "This upload is complete, or being completed: a part sent now could undo its tag. Nothing was sent; begin a new " +
        "upload.",
    ],
    [
      "another list after its Complete",
      async ({ part, complete }) => {
        await complete([await part(1, "x")]);
        await complete([]);
      },
      "This upload was completed with another list of parts, or is being so; nothing was sent.",
    ],
    ["a list that isn't what was sent", ({ complete }) => complete([]), whole],
    [
      "the list of an upload whose parts have no answer",
      ({ complete }) => complete([{ PartNumber: 1 }]),
      whole,
    ],
  ])("%s says what to do", async (_, act, message) => {
    await expect(act(bench())).rejects.toMatchObject({ ...refusal("upload-state"), message });
  });

  it("a Complete between a part and its answer says to wait", async () => {
    const slow = hold<Fate>();
    const { part, complete } = bench({}, () => slow.promise);
    const sending = part(1, "x");
    await sleep(1);
    await expect(complete([])).rejects.toMatchObject({
      ...refusal("upload-state"),
      message: "Parts of this upload are still being sent: complete it when all of them have been answered.",
    });
    slow.release("ok");
    await sending;
  });

  it("a tag that S3 answered without an ETag says to complete again", async () => {
    const { uploads, call, complete } = bench();
    const answers: unknown[] = [{ ETag: '"e1"' }, {}];
    const next = async (): Promise<{ response: unknown; output: unknown }> => ({
      response: {},
      output: answers.shift(),
    });
    await uploads.part(call("UploadPart", { PartNumber: 1, Body: "x" }, { next }));
    await expect(complete([{ PartNumber: 1, ETag: "e1" }])).rejects.toMatchObject({
      ...refusal("upload-state"),
      message: "S3 answered the part that holds the tag without an ETag: complete the upload again.",
    });
  });

  it("a part that waited too long, or beside too many others, says how to need no wait", async () => {
    const { part } = bench({ waitSeconds: 0.02, waitingBytes: 50 });
    const waited = part(2, Buffer.alloc(50)).catch((error: unknown) => error);
    await expect(part(3, "x")).rejects.toMatchObject({
      ...refusal("buffer-limit"),
      message:
        "More than 50 bytes of parts would wait for part 1, whose length is that of all parts: send part 1 first, or " +
        "set the option partBytes.",
    });
    expect(await waited).toMatchObject({
      ...refusal("part-size"),
      message:
        "The length of part 1, which is that of all parts, wasn't known after 0.02 s: send part 1 first, or set the " +
        "option partBytes.",
    });
  });
});

/** Four parts, each with a way of its own that can be closed once the part is there; and who was asked then. */
async function fourWays(): Promise<{
  closeWith: Map<number, Error>;
  asked: number[];
  complete: () => Promise<unknown>;
  made: ReturnType<typeof bench>;
}> {
  const made = bench();
  const closeWith = new Map<number, Error>();
  const asked: number[] = [];
  const list: unknown[] = [];
  for (const number of [1, 2, 3, 4]) {
    const send = made.s3.next();
    let uses = 0;
    const next: typeof send = async (input) => {
      if (uses++ > 0) asked.push(number);
      const error = closeWith.get(number);
      if (error !== undefined) throw error;
      return send(input);
    };
    const input = { PartNumber: number, Body: Buffer.alloc(32, number), ExpectedBucketOwner: `${number}` };
    const { output } = await made.uploads.part(made.call("UploadPart", input, { next }));
    list.push({ PartNumber: number, ...(output as object) });
  }
  return { closeWith, asked, complete: () => made.complete(list), made };
}

describe("the way that the tag goes", () => {
  const aborted = Object.assign(new Error("Request aborted"), { name: "AbortError" });

  it("is that of the part that was answered last", async () => {
    const { asked, complete, made } = await fourWays();
    await complete();
    expect(asked).toEqual([4]);
    expect(made.s3.sent.at(-1)?.input).toMatchObject({ PartNumber: 5, ExpectedBucketOwner: "4" });
  });

  it("is another one where the signal of that part's caller has fired, up to three", async () => {
    const { asked, closeWith, complete, made } = await fourWays();
    for (const number of [4, 3]) closeWith.set(number, aborted);
    await complete();
    expect(asked).toEqual([4, 3, 2]);
    expect(made.s3.sent.at(-1)?.input).toMatchObject({ PartNumber: 5, ExpectedBucketOwner: "2" });
    expect(made.open(made.s3.object())).toHaveLength(128);
    expect(made.s3.sent.filter(({ number }) => number === 5)).toHaveLength(1);
  });

  it("is none where all three have, and may be tried again", async () => {
    const { asked, closeWith, complete } = await fourWays();
    for (const number of [4, 3, 2]) closeWith.set(number, aborted);
    await expect(complete()).rejects.toBe(aborted);
    expect(asked).toEqual([4, 3, 2]);
    closeWith.delete(3);
    await complete();
    expect(asked.slice(3)).toEqual([4, 3]);
  });

  it("is none where the only one has: that caller's error is the answer", async () => {
    const { uploads, call, complete } = bench();
    const answers = [{ ETag: '"e1"' }];
    const next = async (): Promise<{ response: unknown; output: unknown }> => {
      const output = answers.shift();
      if (output === undefined) throw aborted;
      return { response: {}, output };
    };
    await uploads.part(call("UploadPart", { PartNumber: 1, Body: "x" }, { next }));
    await expect(complete([{ PartNumber: 1, ETag: "e1" }])).rejects.toBe(aborted);
  });

  it("isn't changed by any other error", async () => {
    const { asked, closeWith, complete } = await fourWays();
    closeWith.set(4, new Error("503"));
    await expect(complete()).rejects.toThrow("503");
    expect(asked).toEqual([4]);
  });
});

/** Whether a budget has room for so many bytes while one other byte is under way. */
async function hasRoom(budget: ByteBudget, bytes: number): Promise<boolean> {
  const other = await budget.take(1);
  const leaving = new AbortController();
  const asked = budget.take(bytes, leaving.signal).then(
    (release) => (release(), true),
    () => false,
  );
  await sleep(1);
  leaving.abort();
  other();
  return asked;
}

describe("the memory of parts", () => {
  it.each<[string, (made: ReturnType<typeof bench>, list: unknown[]) => Promise<unknown>]>([
    ["the tag has gone out with it", ({ complete }, list) => complete(list)],
    ["the upload is gone", ({ abort }) => abort()],
  ])("counts a short last part until %s", async (_, end) => {
    const budget = new ByteBudget(60);
    const made = bench({ partBytes: 40, budget });
    const list = [await made.part(1, Buffer.alloc(40))];
    expect(await hasRoom(budget, 59)).toBe(true);
    // Shorter than what S3 takes for any part but the last.
    list.push(await made.part(2, Buffer.alloc(20)));
    expect([await hasRoom(budget, 39), await hasRoom(budget, 40)]).toEqual([true, false]);
    await end(made, list);
    expect(await hasRoom(budget, 59)).toBe(true);
  });

  it("counts a last part as kept while its tag is on the way, and once, however many came before", async () => {
    const slow = hold<Fate>();
    const gates: (Fate | Promise<Fate>)[] = ["ok", "ok", "ok", slow.promise];
    const budget = new ByteBudget(60);
    const { part, complete, s3 } = bench(
      { partBytes: 20, budget, s3: { maxParts: 3, minPartBytes: 16 } },
      () => gates.shift() ?? "ok",
    );
    const list = [await part(1, Buffer.alloc(20)), await part(2, Buffer.alloc(20))];
    expect(await hasRoom(budget, 59)).toBe(true);
    list.push(await part(3, Buffer.alloc(20)));
    const completing = complete(list);
    await sleep(1);
    expect(s3.sent).toHaveLength(4);
    expect([await hasRoom(budget, 39), await hasRoom(budget, 40)]).toEqual([true, false]);
    slow.release("ok");
    await completing;
    expect(await hasRoom(budget, 59)).toBe(true);
  });

  it("makes no room for others while a last part that comes again is counted anew", async () => {
    const slow = hold<Fate>();
    const gates: (Fate | Promise<Fate>)[] = ["ok", slow.promise];
    const budget = new ByteBudget(100);
    const { part } = bench({ partBytes: 40, budget }, () => gates.shift()!);
    await part(2, Buffer.alloc(20));
    const other = await budget.take(30);
    const body = new Readable({ read: () => undefined });
    const again = part(2, body, { ContentLength: 20 });
    await sleep(1);
    let granted = false;
    // 30, 20 that are sent, and 20 that are kept lie in memory.
    const room = budget.take(40).then((release) => ((granted = true), release));
    body.push(Buffer.alloc(20));
    body.push(null);
    await sleep(2);
    expect(granted).toBe(false);
    slow.release("ok");
    await again;
    (await room)();
    other();
  });

  it("is one ciphertext per part that is being sent, within the budget, given back when it was", async () => {
    const gates: ReturnType<typeof hold<Fate>>[] = [];
    const { part, s3 } = bench({ partBytes: 40, budget: new ByteBudget(100) }, () => {
      gates.push(hold());
      return gates.at(-1)!.promise;
    });
    const calls = [1, 2, 3, 4, 5].map((number) =>
      part(number, Buffer.alloc(40)).catch((error: Error) => error.message),
    );
    await sleep(2);
    expect(s3.sent).toHaveLength(2);
    gates[0]!.release("ok");
    await calls[0];
    await sleep(2);
    expect(s3.sent).toHaveLength(3);
    gates[1]!.release("failed");
    expect(await calls[1]).toBe("503");
    await sleep(2);
    expect(s3.sent).toHaveLength(4);
    for (const at of [2, 3]) gates[at]!.release("ok");
    await Promise.all(calls.slice(2, 4));
    await sleep(2);
    gates[4]!.release("ok");
    await calls[4];
  });

  it("that part 1 waits for keeps no other part from knowing its size", async () => {
    const budget = new ByteBudget(100);
    const busy = await budget.take(100);
    const { part, s3 } = bench({ budget, waitingBytes: 10 });
    const parts = [part(1, Buffer.alloc(40)), part(2, Buffer.alloc(40))];
    await sleep(1);
    expect(s3.sent).toEqual([]);
    busy();
    await Promise.all(parts);
    expect(s3.sent).toHaveLength(2);
  });

  it("of a part that is refused is given back", async () => {
    const { part } = bench({ partBytes: 40, budget: new ByteBudget(40) });
    await part(1, Buffer.alloc(40));
    await expect(part(1, Buffer.alloc(40, 1))).rejects.toMatchObject(refusal("upload-state"));
    await expect(part(2, Readable.from(["x"]), { ContentLength: 40 })).rejects.toMatchObject(refusal("body"));
    await part(2, Buffer.alloc(40));
  });

  it("that a stream was gathered in holds no plaintext any more when its part is sent", async () => {
    const gathered = watchMemory((memory) => Buffer.from(memory).includes("tell nobody"));
    const { part, s3, open, complete } = bench();
    const listed = await part(1, Readable.from([Buffer.from("dear Ada, "), Buffer.from("tell nobody")]));
    expect(gathered.length).toBeGreaterThan(0);
    for (const memory of gathered) expect(memory).toEqual(new Uint8Array(21));
    await complete([listed]);
    expect(open(s3.object()).toString()).toBe("dear Ada, tell nobody");
  });

  it("of a stream counts by what is known of its length: declared, the upload's size, or what S3 asks for", async () => {
    for (const [options, input, bytes] of [
      [{}, { ContentLength: 8 }, 8],
      [{ partBytes: 40 }, {}, 40],
      [{}, {}, 32],
    ] as const) {
      const asked: number[] = [];
      const budget = new ByteBudget(1000);
      const take = budget.take.bind(budget);
      budget.take = (wanted, signal) => (asked.push(wanted), take(wanted, signal));
      const { part } = bench({ ...options, budget });
      await part(1, Readable.from([Buffer.alloc(8)]), input);
      expect(asked).toEqual([bytes]);
    }
  });
});
