import type { World } from "../world.ts";

export interface S3ecCase {
  /** The end of "the client ...". */
  readonly does: string;
  /** Whether `--smoke` runs it. */
  readonly smoke?: true;
  /** What comes of it where all is right, in the order in which it is said. */
  readonly comesOf: readonly string[];
  readonly run: (world: World) => Promise<void>;
}
