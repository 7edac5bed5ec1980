/** What is done with the official clients, and what comes of it where all is right. */
import { DETAILS } from "./cases/details.ts";
import { OPENS } from "./cases/opens.ts";
import { READS } from "./cases/reads.ts";
import type { S3ecCase } from "./cases/case.ts";

export const S3EC_CASES = { ...READS, ...OPENS, ...DETAILS } as const;

export type S3ecCaseId = keyof typeof S3EC_CASES;

export const S3EC_CASE_LIST: readonly (S3ecCase & { readonly id: S3ecCaseId })[] = (
  Object.entries(S3EC_CASES) as [S3ecCaseId, S3ecCase][]
).map(([id, one]) => ({ id, ...one }));
