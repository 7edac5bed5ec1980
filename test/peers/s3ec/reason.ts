import { BucketKeyError } from "../../../src/index.ts";

/** What is wrong, in one word. */
export function reasonOf(error: unknown): string {
  const { problem, name } = error as { readonly problem?: string; readonly name: string };
  return error instanceof BucketKeyError && problem !== undefined ? problem : name;
}
