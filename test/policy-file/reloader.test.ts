import { expect, it } from "vitest";
import { loadPolicy, type PolicyTextSource } from "../../src/policy-file/index.ts";

const textOf = (mode: string): string => `version: 1\nrules:\n  - { id: r, reason: x, mode: ${mode} }\n`;

it.each(Array.from({ length: 12 }, (_, ticks) => ticks))(
  "a reload that is asked for %d ticks after another took its text still looks",
  async (ticks) => {
    let text = textOf("audit");
    const source: PolicyTextSource = { load: () => Promise.resolve({ text, etag: text }) };
    const policy = await loadPolicy(source, { watch: false, pollSeconds: 3_600 });
    const asked = new Promise<void>((resolve) => {
      const stop = policy.subscribe(async () => {
        stop();
        for (let i = 0; i < ticks; i++) await Promise.resolve();
        text = textOf("off");
        resolve(policy.reload());
      });
    });
    try {
      text = textOf("enforce");
      await policy.reload();
      await asked;
      expect(policy.current().policy?.rules?.[0]?.mode).toBe("off");
    } finally {
      policy.close();
    }
  },
);
