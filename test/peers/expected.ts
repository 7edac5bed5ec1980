import { CASES, type CaseId } from "./cases.ts";
import { type Difference, DIFFERENCES } from "./differences.ts";
import type { PeerName } from "./peer.ts";

/** A line that the plugin counted, not one that came over the wire: its place means nothing. */
const COUNTED = /^(?:decided|judged|drift|note|error): /;

/** What comes of a case on a peer: AWS's lines, those replaced in which the peer is known to differ. */
export function expectedLines(peer: PeerName, id: CaseId): readonly string[] {
  const lines = CASES[id].aws.flatMap((line) => differenceOf(peer, id, line)?.instead[line] ?? line);
  const happens = lines.filter((line) => !COUNTED.test(line));
  const counts = lines.filter((line) => COUNTED.test(line));
  return [...happens, ...counts.toSorted()];
}

/** Why the peer differs in this case, a sentence for each reason. */
export function reasons(peer: PeerName, id: CaseId): readonly string[] {
  const whys = CASES[id].aws.map((line) => differenceOf(peer, id, line)?.why);
  return [...new Set(whys)].filter((why) => why !== undefined);
}

/** Replacements of lines that are nowhere, and of lines by themselves: mistakes in `differences.ts`. */
export function idleReplacements(peer: PeerName): readonly string[] {
  const idle = new Set<string>();
  for (const difference of allDifferences(peer)) {
    for (const [line, instead] of Object.entries(difference.instead)) {
      const used = CASE_IDS.some(
        (id) => CASES[id].aws.includes(line) && differenceOf(peer, id, line) === difference,
      );
      if (!used || instead === line) idle.add(`${difference.why}: ${line}`);
    }
  }
  return [...idle];
}

const CASE_IDS = Object.keys(CASES) as CaseId[];

function allDifferences(peer: PeerName): readonly Difference[] {
  const { everywhere, cases } = DIFFERENCES[peer];
  return [...everywhere, ...Object.values(cases)];
}

/** What is said of this case goes before what is said of all. */
function differenceOf(peer: PeerName, id: CaseId, line: string): Difference | undefined {
  const { everywhere, cases } = DIFFERENCES[peer];
  return [cases[id], ...everywhere].find(
    (difference) => difference !== undefined && line in difference.instead,
  );
}
