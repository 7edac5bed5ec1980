/** One lane of the matrix: a runtime or a set of versions, and what must work there. */
export interface Lane {
  readonly name: string;
  /** What is being held against what, for the table. */
  readonly subject: string;
  run(): Promise<Outcome>;
}

export interface Outcome {
  readonly passed: number;
  /** What went wrong, one entry each; empty when the lane holds. */
  readonly problems: readonly string[];
  /** What ran: "41 files". */
  readonly what: string;
}

/** One check that holds or throws. */
export async function checked(what: string, check: () => Promise<unknown>): Promise<Outcome> {
  try {
    await check();
    return { passed: 1, problems: [], what };
  } catch (error) {
    return { passed: 0, problems: [`${what}: ${(error as Error).message}`], what };
  }
}

/** Outcomes of one lane as one. */
export function together(...outcomes: readonly Outcome[]): Outcome {
  return {
    passed: outcomes.reduce((sum, { passed }) => sum + passed, 0),
    problems: outcomes.flatMap(({ problems }) => problems),
    what: outcomes.map(({ what }) => what).join(", "),
  };
}
