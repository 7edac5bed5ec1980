import { Cells } from "../telemetry/cells.ts";
import type { Outcome } from "../telemetry/telemetry.ts";
import { ALGORITHMS, OPERATION_NAMES, OTHER, STATES, VERDICTS } from "../telemetry/words.ts";
import { responseRow, type Row } from "./rows.ts";

type AnswerCells = ReturnType<typeof answerCells>;

/** Answers by bucket, which `stats()` doesn't keep: the first names seen, then `_OTHER`. */
export class BucketCounts {
  readonly #max: number;
  readonly #buckets = new Map<string, AnswerCells>();

  constructor(max: number) {
    this.#max = max;
  }

  count({ operation, bucket, response }: Outcome): void {
    if (response === undefined) return;
    this.#cellsOf(bucket).add(operation, response.state, response.sse, response.verdict);
  }

  rows(): Row[] {
    return [...this.#buckets].flatMap(([bucket, cells]) =>
      cells
        .entries()
        .map(([[operation, state, sse, verdict], count]) =>
          responseRow({ operation, state, sse, verdict }, count, bucket),
        ),
    );
  }

  #cellsOf(bucket: string): AnswerCells {
    const known = this.#buckets.get(bucket);
    if (known !== undefined) return known;
    if (this.#buckets.size >= this.#max && bucket !== OTHER) return this.#cellsOf(OTHER);
    const fresh = answerCells();
    this.#buckets.set(bucket, fresh);
    return fresh;
  }
}

function answerCells() {
  return new Cells([...OPERATION_NAMES, OTHER], STATES, [...ALGORITHMS, OTHER], VERDICTS);
}
