import { weakerMode } from "./policy/compile.ts";
import type { Mode, Policy } from "./policy/policy.ts";
import type { ClientInfo } from "./telemetry/telemetry.ts";

const VARIABLE = "S3_BUCKET_KEYS_MODE";

/** The incident switch, as it stood when the plugin was made. */
export interface IncidentSwitch {
  readonly mode: "audit" | "off" | undefined;
  /** Set when the variable holds something else. */
  readonly mistake: string | undefined;
}

/** Reads `S3_BUCKET_KEYS_MODE=audit|off`; there is no environment in browsers and workers. */
export function readIncidentSwitch(): IncidentSwitch {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  const written = process?.env?.[VARIABLE];
  const value = written?.trim().toLowerCase();
  if (value === undefined || value === "") return { mode: undefined, mistake: undefined };
  if (value === "audit" || value === "off") return { mode: value, mistake: undefined };
  return {
    mode: undefined,
    mistake: `${VARIABLE} is ${JSON.stringify(written)} and is ignored; it takes "audit" or "off".`,
  };
}

/** The strongest mode that any request can meet, and what fixed it. */
export function effectiveMode(
  policy: Policy,
  option: Mode,
  environment: Mode | undefined,
): Pick<ClientInfo, "mode" | "modeSource"> {
  const inherited = policy.defaults?.mode ?? "audit";
  const modes = [inherited, ...(policy.rules ?? []).map((rule) => rule.mode ?? inherited)];
  const strongest = (["enforce", "audit", "off"] as const).find((mode) => modes.includes(mode)) ?? inherited;
  const ceiling = environment === undefined ? option : weakerMode(option, environment);
  const mode = weakerMode(strongest, ceiling);
  if (mode === strongest) return { mode, modeSource: "policy" };
  return { mode, modeSource: mode === option ? "option" : "environment" };
}
