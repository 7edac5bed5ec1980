import { CASES, type CaseId } from "./cases.ts";
import type { Case } from "./cases/case.ts";
import { DIFFERENCES } from "./differences.ts";
import type { Difference, Differences } from "./differences/difference.ts";
import type { PeerName } from "./peer.ts";

/** A line that the plugin counted, not one that came over the wire: its place means nothing. */
const COUNTED = /^(?:decided|judged|drift|note|error): /;

/** What comes of a case on a peer: AWS's lines, those replaced in which the peer is known to differ. */
export function expectedLines(peer: PeerName, id: CaseId): readonly string[] {
  const lines = expectedFrom(DIFFERENCES[peer], CASES[id].aws, id);
  const happens = lines.filter((line) => !COUNTED.test(line));
  const counts = lines.filter((line) => COUNTED.test(line));
  const { anyOrder }: Case = CASES[id];
  return [...(anyOrder ? happens.toSorted() : happens), ...counts.toSorted()];
}

/** Why the peer differs in this case, a sentence for each reason. */
export function reasons(peer: PeerName, id: CaseId): readonly string[] {
  return reasonsFrom(DIFFERENCES[peer], CASES[id].aws, id);
}

/** Replacements of lines that are nowhere, and of lines by themselves: mistakes in `differences.ts`. */
export function idleReplacements(peer: PeerName): readonly string[] {
  const table = Object.fromEntries(Object.entries(CASES).map(([id, { aws }]) => [id, aws]));
  return idleFrom(DIFFERENCES[peer], table);
}

/** The lines of a case, those replaced that are known to differ. */
export function expectedFrom<Id extends string>(
  differences: Differences<Id>,
  lines: readonly string[],
  id: Id,
): readonly string[] {
  return lines.flatMap((line) => differenceOf(differences, id, line)?.instead[line] ?? line);
}

/** Why lines of a case are known to differ. */
export function reasonsFrom<Id extends string>(
  differences: Differences<Id>,
  lines: readonly string[],
  id: Id,
): readonly string[] {
  const whys = lines.map((line) => differenceOf(differences, id, line)?.why);
  return [...new Set(whys)].filter((why) => why !== undefined);
}

/** Replacements that no case needs. @param table - The lines of each case. */
export function idleFrom<Id extends string>(
  differences: Differences<Id>,
  table: Readonly<Partial<Record<Id, readonly string[]>>>,
): readonly string[] {
  const cases = Object.entries(table) as [Id, readonly string[]][];
  const idle = new Set<string>();
  for (const difference of allDifferences(differences)) {
    for (const [line, instead] of Object.entries(difference.instead)) {
      const used = cases.some(
        ([id, lines]) => lines.includes(line) && differenceOf(differences, id, line) === difference,
      );
      if (!used || instead === line) idle.add(`${difference.why}: ${line}`);
    }
  }
  return [...idle];
}

function allDifferences<Id extends string>({ everywhere, cases }: Differences<Id>): readonly Difference[] {
  return [...everywhere, ...Object.values<Difference | undefined>(cases)].filter((one) => one !== undefined);
}

/** What is said of this case goes before what is said of all. */
function differenceOf<Id extends string>(
  { everywhere, cases }: Differences<Id>,
  id: Id,
  line: string,
): Difference | undefined {
  return [cases[id], ...everywhere].find(
    (difference) => difference !== undefined && line in difference.instead,
  );
}
