/**
 * Forms whose key ends with the name of the uploaded file.
 *
 * The SDK signs only that the key starts with the text before `${filename}`, so whoever uploads can send any key
 * that does: slashes are as good as letters, and the name of the file need not be used at all.
 */
import { isExpired, type CompiledPolicy } from "../policy/compile.ts";
import { globMatches, isLiteral, literalPrefix } from "../policy/globs.ts";
import { compileMatch, firstMismatch, type MatchField } from "../policy/match.ts";
import type { Decision, RequestFacts, RuleMatch } from "../policy/policy.ts";

/** S3 puts the name of the uploaded file here, so what follows is not known yet. */
const FILENAME = "${filename}"; // oxlint-disable-line no-template-curly-in-string

/** The part of a form's key that is known before the upload. */
export function knownText(key: string): string {
  return key.split(FILENAME, 1)[0] ?? "";
}

/**
 * The refusal of a form that could upload to a place that seals, or undefined when none of its keys seals.
 *
 * Where patterns make it hard to tell, the form is refused.
 *
 * @param key - The key of the form, as the caller wrote it.
 */
export function refusedSeal(policy: CompiledPolicy, asked: RequestFacts, key: string): Decision | undefined {
  if (!policy.hasEnvelope || !key.includes(FILENAME)) return undefined;
  for (const source of policy.policy.rules ?? []) {
    if (source.envelope === undefined) continue;
    const { match = {}, except } = source;
    const taken = reach(match, asked, ["operations"]);
    const excepted = except === undefined ? "none" : reach(except, asked);
    if (taken === "none" || excepted === "all") continue;
    if (source.envelope === "seal") {
      const rule = policy.ruleById(source.id);
      const notes = isExpired(rule, asked.now) ? (["expired-rule"] as const) : [];
      return {
        decision: "refuse",
        why: "refused-seal",
        rule: rule.id,
        mode: rule.mode,
        seal: "seal",
        notes,
      };
    }
    if (taken === "all" && excepted === "none") return undefined;
  }
  return undefined;
}

/** Of the keys that start with the known text, how many fit: `some` also where nobody can tell. */
type Reach = "all" | "some" | "none";

function reach(match: RuleMatch, asked: RequestFacts, skip: readonly MatchField[] = []): Reach {
  const { key: known = "" } = asked;
  const others = compileMatch(match, [...skip, "prefixes", "keys"]);
  if (firstMismatch(others, asked) !== undefined) return "none";
  const reaches = [
    widest(match.prefixes, (prefix) => prefixReach(prefix, known)),
    widest(match.keys, (glob) => globReach(glob, known)),
  ];
  if (reaches.includes("none")) return "none";
  return reaches.includes("some") ? "some" : "all";
}

function widest(items: readonly string[] | undefined, reachOf: (item: string) => Reach): Reach {
  const reaches = items?.map(reachOf) ?? ["all"];
  if (reaches.includes("all")) return "all";
  return reaches.includes("some") ? "some" : "none";
}

function prefixReach(prefix: string, known: string): Reach {
  if (known.startsWith(prefix)) return "all";
  return prefix.startsWith(known) ? "some" : "none";
}

function globReach(glob: string, known: string): Reach {
  // A star at the end takes whatever comes.
  if (glob.endsWith("*") && globMatches(glob, known)) return "all";
  const start = literalPrefix(glob);
  if (start.startsWith(known)) return "some";
  return !isLiteral(glob) && known.startsWith(start) ? "some" : "none";
}
