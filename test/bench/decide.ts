/** `decide` alone, on facts that are ready: microseconds per decision. */
import { createHash } from "node:crypto";
import type * as Main from "../../src/index.ts";
import type { RequestFacts } from "../../src/index.ts";
import { built, type Bench, type Row } from "./bench.ts";
import { interleave, type Arm } from "./interleave.ts";
import { bucketsFor, KMS_KEY, mixedPolicy, type Hit } from "./policies.ts";
import { median, medianOfBlocks, medianRatio, type Blocks } from "./statistics.ts";

const FEW = 20;
const MANY = 10_000;
const SIZES = [FEW, MANY] as const;
type Size = (typeof SIZES)[number];
const HITS: readonly Hit[] = ["first", "last", "none"];
const HIT_WORDS: Readonly<Record<Hit, string>> = { first: "first rule", last: "last rule", none: "no rule" };
/** Decisions per timed operation; one alone is shorter than the clock can tell. */
const BATCH = 200;
/** Buckets in use at a time: all remembered, or more than the memo holds so that none is. */
const BUCKETS = { warm: 16, cold: 4_000 };
type Memo = keyof typeof BUCKETS;
type ArmName = "yardstick" | "control" | `${typeof FEW | typeof MANY} ${Hit} ${Memo}`;

export const decideBench: Bench = async ({ quick, dist }) => {
  const { decide } = await built<typeof Main>(dist, "index.js");
  const policies = new Map(SIZES.map((size) => [size, mixedPolicy(size)]));
  const decisions = (size: Size, hit: Hit, memo: Memo): Arm => {
    const policy = policies.get(size) as Main.Policy;
    const facts = bucketsFor(hit, size, BUCKETS[memo]).map(putTo);
    let at = 0;
    return () => () => {
      for (let i = 0; i < BATCH; i++) decide(policy, facts[at++ % facts.length] as RequestFacts);
    };
  };

  const arms: Partial<Record<ArmName, Arm>> = { yardstick: digest(), control: digest() };
  for (const size of SIZES) {
    for (const hit of HITS) {
      arms[`${size} ${hit} warm`] = decisions(size, hit, "warm");
      arms[`${size} ${hit} cold`] = decisions(size, hit, "cold");
    }
  }
  const times = await interleave({
    arms: () => arms as Record<ArmName, Arm>,
    ...(quick ? { blocks: 5, iterations: 20, warmUp: 20 } : { blocks: 25, iterations: 80, warmUp: 40 }),
  });
  const perDecision = (name: ArmName): Blocks =>
    times[name].map((block) => block.map((time) => time / BATCH));
  const control = medianRatio(times.control, times.yardstick);
  const yardstick = `SHA-256 of 1 KiB: ${median(perDecision("yardstick").flatMap((b) => [...b])).toFixed(2)} µs`;

  const row = (size: Size, hit: Hit, memo: Memo): Row => ({
    what: `decide, ${size.toLocaleString("en")} rules, ${HIT_WORDS[hit]}, memo ${memo}`,
    measured: medianOfBlocks(perDecision(`${size} ${hit} ${memo}`)),
    unit: "µs",
    ...(size === FEW && memo === "warm" && { bar: { atMost: 0.7 } }),
    control,
    yardstick,
  });
  const growth = (hit: Hit): Row => ({
    what: `decide, 10,000 rules against 20, ${HIT_WORDS[hit]}, memo warm`,
    measured: medianRatio(times[`${MANY} ${hit} warm`], times[`${FEW} ${hit} warm`]),
    unit: "ratio",
    bar: { atMost: 3 },
    control,
  });
  return [
    ...HITS.map((hit) => row(FEW, hit, "warm")),
    ...HITS.map((hit) => row(MANY, hit, "warm")),
    ...HITS.map(growth),
    ...SIZES.flatMap((size) => HITS.map((hit) => row(size, hit, "cold"))),
  ];
};

function putTo(bucket: string, i: number): RequestFacts {
  return {
    operation: "PutObject",
    bucket,
    bucketType: "general-purpose",
    key: `raw/2026/11/part-${i}.parquet`,
    sse: "aws:kms",
    kmsKey: KMS_KEY,
  };
}

function digest(): Arm {
  const kibibyte = new Uint8Array(1_024).fill(120);
  return () => () => {
    for (let i = 0; i < BATCH; i++) createHash("sha256").update(kibibyte).digest();
  };
}
