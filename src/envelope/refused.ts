/** One word less to write where a call is refused. */
import { EnvelopeRefusedError, type EnvelopeProblem } from "./errors.ts";

export function refused(problem: EnvelopeProblem, message: string): EnvelopeRefusedError {
  return new EnvelopeRefusedError(problem, message);
}
