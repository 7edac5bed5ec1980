/** What is done, and what comes of it on AWS; a key of this table also names the object that the case writes. */
import { BUCKETS } from "./cases/buckets.ts";
import type { Case } from "./cases/case.ts";
import { COPIES } from "./cases/copies.ts";
import { FORMS } from "./cases/forms.ts";
import { OBJECTS } from "./cases/objects.ts";
import { PRESIGNED } from "./cases/presigned.ts";
import { PUTS } from "./cases/puts.ts";
import { UPLOADS } from "./cases/uploads.ts";

export const CASES = { ...PUTS, ...OBJECTS, ...COPIES, ...UPLOADS, ...PRESIGNED, ...FORMS, ...BUCKETS };

export type CaseId = keyof typeof CASES;

/** The table as a list. */
export const CASE_LIST = Object.entries(CASES).map(([id, one]) => ({ id: id as CaseId, ...(one as Case) }));
