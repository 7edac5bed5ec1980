/** What a mutation run came to: each survivor, and the score of each file and each room. */

/** As much of Stryker's report as counts here; places are counted from 1. */
interface FoundMutant {
  readonly mutatorName: string;
  readonly replacement?: string;
  readonly location: { readonly start: { readonly line: number; readonly column: number } };
  readonly status: string;
}

/** A mutant and its file, from the root of the project. */
export interface Mutant extends FoundMutant {
  readonly file: string;
}

/** The mutants of Stryker's report in JSON. */
export function mutantsOf(report: {
  readonly files: Readonly<Record<string, { readonly mutants: readonly FoundMutant[] }>>;
}): readonly Mutant[] {
  return Object.entries(report.files).flatMap(([file, { mutants }]) =>
    mutants.map((mutant) => ({ ...mutant, file })),
  );
}

const NOTICED = new Set(["Killed", "Timeout"]);
const UNNOTICED = new Set(["Survived", "NoCoverage"]);

/** Each survivor, then a score per file, then one per room. */
export function formatReport(mutants: readonly Mutant[]): string {
  return [
    ...mutants.filter(({ status }) => UNNOTICED.has(status)).map(formatSurvivor),
    ...scoresBy(({ file }) => file, mutants).map(formatScore),
    ...scoresBy(roomOf, mutants).map(formatScore),
  ].join("\n");
}

/** The rooms of which tests notice less than `bar` percent. */
export function roomsBelow(mutants: readonly Mutant[], bar: number): readonly string[] {
  return scoresBy(roomOf, mutants)
    .filter(({ noticed, all }) => percent(noticed, all) < bar)
    .map(({ of }) => of);
}

/** What doesn't even load, or was left out on purpose, counts for nothing. */
interface Score {
  readonly of: string;
  readonly noticed: number;
  readonly all: number;
}

function scoresBy(group: (mutant: Mutant) => string, mutants: readonly Mutant[]): readonly Score[] {
  const names = [...new Set(mutants.map(group))].toSorted();
  return names.map((of) => {
    const statuses = mutants.filter((mutant) => group(mutant) === of).map(({ status }) => status);
    const noticed = statuses.filter((status) => NOTICED.has(status)).length;
    return { of, noticed, all: noticed + statuses.filter((status) => UNNOTICED.has(status)).length };
  });
}

function roomOf({ file }: Mutant): string {
  return `${file.split("/").slice(0, 2).join("/")}/`;
}

function percent(noticed: number, all: number): number {
  return all === 0 ? 100 : (100 * noticed) / all;
}

function formatScore({ of, noticed, all }: Score): string {
  return `${percent(noticed, all).toFixed(1).padStart(5)} %  ${of}  (${noticed} of ${all} noticed)`;
}

function formatSurvivor({ file, location, mutatorName, replacement = "", status }: Mutant): string {
  const { line, column } = location.start;
  const shown = replacement.replace(/\s+/g, " ").slice(0, 100);
  return `${status}  ${file}:${line}:${column}  ${mutatorName}  ${shown}`;
}
