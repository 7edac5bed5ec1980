/** Whatever order calls, answers and failures come in: no keystream twice, no second tag, and objects that open. */
import { Readable } from "node:stream";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bench, type Bench, type Fate } from "./fake-upload.ts";

interface PartStep {
  readonly kind: "part";
  readonly number: number;
  readonly bytes: number;
  readonly content: number;
  /** As a stream, whose length nobody knows beforehand. */
  readonly stream: boolean;
}

type Step =
  | PartStep
  | { readonly kind: "complete"; readonly which: "all" | "fewer" | "stale" }
  | { readonly kind: "abort" }
  | { readonly kind: "close" }
  /** For everything that is under way. */
  | { readonly kind: "wait" };

const limits = { maxParts: 4, minPartBytes: 20 };

const SIZE = 37;
const noise: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    // Mostly of the right size, now and then a tail, an empty one, or one of a wrong size.
    arbitrary: fc.record({
      kind: fc.constant("part" as const),
      number: fc.integer({ min: 1, max: 4 }),
      bytes: fc.constantFrom(SIZE, SIZE, 21, 5, 0, 38),
      content: fc.constantFrom(0, 0, 1),
      stream: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("complete" as const),
      which: fc.constantFrom("all" as const, "all" as const, "fewer" as const, "stale" as const),
    }),
  },
  { weight: 1, arbitrary: fc.constantFrom<Step>({ kind: "abort" }, { kind: "close" }) },
);

/** An upload of one to four parts in any order, with noise between, and Completes at the end that may meet. */
const story: fc.Arbitrary<Step[]> = fc
  .record({
    count: fc.integer({ min: 1, max: 4 }),
    tail: fc.constantFrom(SIZE, 21, 5, 0),
    order: fc.infiniteStream(fc.nat()),
    noise: fc.array(noise, { maxLength: 5 }),
    late: fc.array(noise, { maxLength: 3 }),
    completes: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ count, tail, order, noise: others, late, completes }) => {
    const numbers = Array.from({ length: count }, (_, i) => i + 1);
    const parts = numbers.map((number): PartStep => {
      const bytes = number === count ? tail : SIZE;
      return { kind: "part", number, bytes, content: 0, stream: order.next().value % 4 === 0 };
    });
    const shuffled = (steps: readonly Step[]): Step[] =>
      steps
        .map((one) => ({ one, rank: order.next().value }))
        .toSorted((x, y) => x.rank - y.rank)
        .map(({ one }) => one);
    const ends = Array.from({ length: completes }, (): Step => ({ kind: "complete", which: "all" }));
    // What failed is sent once more, as a caller would; then come Completes, and parts that meet them.
    return [
      ...shuffled([...parts, ...others]),
      { kind: "wait" },
      ...parts,
      { kind: "wait" },
      ...shuffled([...ends, ...late, ...parts.slice(-1)]),
    ];
  });

/** The same every time for a part, a length and a choice. */
function contentOf({ number, bytes, content }: Pick<PartStep, "number" | "bytes" | "content">): Buffer {
  return Buffer.alloc(bytes, number * 16 + content);
}

/** Runs steps against an S3 whose answers come in the scheduler's order, and gives what was seen of it. */
async function run(
  steps: readonly Step[],
  waits: readonly boolean[],
  fates: Iterator<Fate>,
  scheduler: fc.Scheduler,
  partBytes: number | undefined,
  place: "seal" | "unseal",
): Promise<Bench> {
  const gate = async (): Promise<Fate> => {
    await scheduler.schedule(Promise.resolve());
    return fates.next().value as Fate;
  };
  const options = { ...(partBytes !== undefined && { partBytes }), waitSeconds: 0.002, s3: limits };
  const made = bench(options, gate, place);
  const listed = new Map<number, Record<string, unknown>>();
  const calls: Promise<unknown>[] = [];
  const start = async (one: Exclude<Step, { kind: "wait" }>): Promise<unknown> => {
    switch (one.kind) {
      case "close":
        return made.uploads.close();
      case "abort":
        return made.abort();
      case "part": {
        const content = contentOf(one);
        const entry = await made.part(one.number, one.stream ? Readable.from([content]) : content);
        return listed.set(one.number, entry);
      }
      case "complete": {
        const list = [...listed.entries()].toSorted(([a], [b]) => a - b).map(([, entry]) => entry);
        if (one.which === "fewer") list.pop();
        return made.complete(one.which === "stale" ? list.map((entry) => ({ ...entry, ETag: "x" })) : list);
      }
    }
  };
  for (const [i, one] of steps.entries()) {
    if (one.kind !== "wait") calls.push(start(one).catch(() => undefined));
    if (one.kind === "wait" || waits[i % waits.length]) await scheduler.waitFor(Promise.all(calls));
  }
  await scheduler.waitFor(Promise.all(calls));
  return made;
}

/** The keystream of the upload's key, by another road: AES-CTR from counter 2 on. */
function keystream(made: Bench, bytes: number): Buffer {
  return made.sealed(Buffer.alloc(bytes)).subarray(0, bytes);
}

describe("uploads under any interleaving", () => {
  it("encrypt one plaintext per offset, send one tag, and what completes opens", async () => {
    let completed = 0;
    await fc.assert(
      fc.asyncProperty(
        story,
        fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
        fc.infiniteStream(fc.constantFrom<Fate>("ok", "ok", "ok", "ok", "lost", "failed")),
        fc.scheduler(),
        fc.constantFrom(undefined, SIZE),
        // The place may have stopped sealing since the upload was begun.
        fc.constantFrom("seal" as const, "unseal" as const),
        async (steps, waits, fates, scheduler, partBytes, place) => {
          const made = await run(steps, waits, fates, scheduler, partBytes, place);
          const { sent, completes, object } = made.s3;
          const asked = sent.filter(({ again }) => !again);
          const tags = sent.filter(({ again }) => again);

          // The size of parts, as this test takes it: the option, or the length of the first part 1 that went out.
          const size = partBytes ?? Math.max(1, asked.find(({ number }) => number === 1)?.body.length ?? 1);
          const stream = keystream(made, limits.maxParts * size + 64);
          const plain = new Map<number, number>();
          // Offsets that had another plaintext before.
          const reused: number[] = [];
          for (const { number, body } of asked) {
            for (const [i, byte] of body.entries()) {
              const at = (number - 1) * size + i;
              const plaintext = byte ^ stream[at]!;
              if ((plain.get(at) ?? plaintext) !== plaintext) reused.push(at);
              plain.set(at, plaintext);
            }
          }
          expect(reused).toEqual([]);
          // Nor does a plaintext go out as it is, also once the upload is gone.
          const isPlain = ({ number, body }: (typeof asked)[number]): boolean =>
            [0, 1].some((content) => contentOf({ number, bytes: body.length, content }).equals(body));
          expect(asked.filter((part) => part.body.length > 4 && isPlain(part))).toEqual([]);
          // One tag part, however often it was sent, and nothing else after it.
          expect(
            new Set(tags.map(({ number, body }) => `${number} ${body.toString("hex")}`)).size,
          ).toBeLessThanOrEqual(1);
          expect(sent.slice(sent.length - tags.length).every(({ again }) => again)).toBe(true);
          expect(
            new Set(completes.map(({ MultipartUpload }) => JSON.stringify(MultipartUpload))).size,
          ).toBeLessThanOrEqual(1);

          const sealed = object();
          if (sealed === undefined) return;
          completed++;
          const opened = made.open(sealed);
          expect(
            opened.equals(
              Buffer.from([...plain.entries()].toSorted(([a], [b]) => a - b).map(([, byte]) => byte)),
            ),
          ).toBe(true);
          // What the callers gave, part by part: one of the contents there were.
          for (let number = 1; (number - 1) * size < opened.length; number++) {
            const part = opened.subarray((number - 1) * size, number * size);
            const contents = [0, 1].map((content) => contentOf({ number, bytes: part.length, content }));
            expect(contents.some((content) => content.equals(part))).toBe(true);
          }
          expect([...made.secret].every((byte) => byte === 0)).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
    // The property says something only where objects came to be.
    expect(completed).toBeGreaterThan(30);
  });

  it("would be caught: this test's keystream is the one that the sealer uses", async () => {
    const made = bench({ partBytes: 37 });
    await made.part(2, Buffer.alloc(37));
    expect(made.s3.sent[0]!.body.equals(keystream(made, 74).subarray(37))).toBe(true);
  });
});
