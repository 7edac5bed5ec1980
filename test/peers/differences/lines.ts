/** Lines that come instead of AWS's on more than one peer. */
import { compliant, GET, honoured, PUT, RIGHT, STATE } from "../cases/lines.ts";

export const drift = (operation: string, kind: string, state = "disabled"): readonly string[] => [
  `judged: ${operation} ${state}, drift`,
  `drift: ${operation} ${kind}`,
];
export const noncompliant = (operation: string): string => `judged: ${operation} disabled, noncompliant`;
export const notKms = (operation: string): string => `judged: ${operation} unknown, noncompliant`;
export const nothingSaid = (operation: string): string => `judged: ${operation} unknown, not-applicable`;

export const NO_DEFAULT_ENCRYPTION = {
  "PutObject -> 200 AES256": "PutObject -> 200",
  "judged: PutObject not-applicable, not-applicable": nothingSaid("PutObject"),
  "judged: PutObject not-applicable, noncompliant": notKms("PutObject"),
  "presigned PUT -> 200 AES256": "presigned PUT -> 200",
  "GetObject -> 200 AES256": "GetObject -> 200",
  "judged: GetObject not-applicable, noncompliant": notKms("GetObject"),
};

/** What is answered to a signature by another secret where signatures are not checked. */
export const ANY_SIGNATURE = {
  [`PutObject ${STATE} -> 403`]: PUT,
  "throws SignatureDoesNotMatch": [],
  "judged: PutObject unknown, unverified": honoured("PutObject"),
};

/** The danger of UpdateObjectEncryption on servers that do not know it. */
export const OVERWRITTEN = {
  [GET]: "GetObject -> 200",
  [RIGHT]: "the bytes are the XML of the request",
  [compliant("GetObject")]: notKms("GetObject"),
};
