/** How long a first drift takes to whoever is on call. */
import { say } from "./files.ts";
import { EVALUATION_SECONDS } from "./stack.ts";
import type { Notice, Webhook } from "./webhook.ts";

/** Two evaluation intervals of the rule. */
export const BAR_SECONDS: number = 2 * EVALUATION_SECONDS;

/**
 * Waits for the notice, and prints how long it took.
 *
 * @param drifted - Does it, and says when, in milliseconds since 1970.
 */
export async function driftNotice(
  webhook: Webhook,
  { job, drifted }: Readonly<{ job: string; drifted: () => Promise<number> }>,
): Promise<Notice & { readonly seconds: number }> {
  const at = await drifted();
  const notice = await webhook.first({ alertname: "S3BucketKeyDrift", job }, 60_000);
  const seconds = (notice.at - at) / 1000;
  say(
    `drift of ${job} to webhook: ${seconds.toFixed(1)} s ` +
      `(bar: <= ${BAR_SECONDS} s, two evaluation intervals of ${EVALUATION_SECONDS} s)`,
  );
  return { ...notice, seconds };
}
