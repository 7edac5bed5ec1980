import type { Policy } from "./policy.ts";

/**
 * A short name for what a policy does: 16 hexadecimal digits, the same whatever the order of its fields.
 *
 * In-file tests don't count. It tells policies apart in telemetry and errors; it is no signature (FNV-1a).
 */
export function policyDigest({ tests: _tests, ...policy }: Policy): string {
  const text = JSON.stringify(policy, sortedKeys);
  return fnv1a(text, 0x811c9dc5) + fnv1a(text, 0x01000193);
}

function sortedKeys(_key: string, value: unknown): unknown {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function fnv1a(text: string, seed: number): string {
  let hash = seed;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}
