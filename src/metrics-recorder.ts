/** The SDK's own metrics recorder, where a call brings one: `client.send(command, { metricsRecorder })`. */
import type { Context } from "./call.ts";
import type { Outcome } from "./telemetry/telemetry.ts";

/** What is used of `MetricsRecorder` of `@smithy/types`. */
interface Recorder {
  setProperty(name: string, value: string): void;
  addCount(name: string, value: number): void;
}

/** The recorder of this call. The SDK shares no context between calls that bring one. */
export function recorderOf({ __smithy_context: call }: Context): Recorder | undefined {
  return call?.metricsRecorder as Recorder | undefined;
}

/**
 * Properties say what became of the call; counts are 0 or 1, so that their average over calls is a share: of
 * `S3BucketKeyEnabled`, the coverage of SSE-KMS.
 */
export function tellRecorder(recorder: Recorder, { decision, response, error }: Outcome): void {
  const properties = {
    Decision: decision?.decision,
    Why: decision?.why,
    Mode: decision?.mode,
    Rule: response?.rule ?? decision?.rule,
    State: response?.state,
    Verdict: response?.verdict,
    Phase: error?.phase,
  };
  for (const [name, value] of Object.entries(properties)) {
    if (value !== undefined) recorder.setProperty(`S3BucketKey${name}`, value);
  }
  if (response?.sse === "aws:kms") {
    recorder.addCount("S3BucketKeyEnabled", response.state === "enabled" ? 1 : 0);
  }
  if (response?.verdict === "honoured" || response?.verdict === "drift") {
    recorder.addCount("S3BucketKeyDrift", response.verdict === "drift" ? 1 : 0);
  }
  if (decision !== undefined) {
    // What would be sent in the clear is refused in every mode.
    const isEnforced = decision.mode === "enforce" || decision.why === "refused-seal";
    recorder.addCount("S3BucketKeyRefused", decision.decision === "refuse" && isEnforced ? 1 : 0);
  }
}
