import type { KmsInput } from "./input.ts";
import { KmsFault } from "./kms-fault.ts";

/** The last thing before something is done. @throws `KmsFault` when the request asked only whether it could be. */
export function refuseDryRun(input: KmsInput): void {
  if (input.flag("DryRun")) {
    const message = "The request would have succeeded, but the DryRun option is set.";
    throw new KmsFault("DryRunOperationException", message, 412);
  }
}
