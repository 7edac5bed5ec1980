/** The tables of docs/compatibility.md that come from what the suites assert. */
import { CASE_LIST } from "./cases.ts";
import type { ClientName } from "./clients/client.ts";
import { JOB_LIST, JOBS } from "./clients/jobs.ts";
import { LIMITS } from "./clients/limits.ts";
import { reasons, reasonsFrom } from "./expected.ts";
import { S3EC_CASE_LIST, S3EC_CASES, type S3ecCaseId } from "./s3ec/cases.ts";
import type { S3ecClientName } from "./s3ec/client.ts";
import { S3EC_LIMITS } from "./s3ec/limits.ts";
import { CLIENTS, PEERS, S3EC_CLIENTS } from "./subjects.ts";

const START = "<!-- Written by `npm run test:peers:all -- --write`; do not edit. -->";
const END = "<!-- End of what is written by the run. -->";

/** A column: who it is about, and what is to be said of a row; nothing, where all is as on AWS. */
interface Column<Id extends string> {
  readonly name: string;
  readonly version: string;
  readonly notes: (id: Id) => readonly string[];
}

/** The page with its tables as the suites have them now; what people wrote around them stays. */
export function withTables(page: string): string {
  const start = page.indexOf(START);
  const end = page.indexOf(END);
  if (start === -1 || end < start) throw new Error(`The page has no place for the tables:\n${START}\n${END}`);
  return `${page.slice(0, start)}${START}\n\n${tables()}\n\n${page.slice(end)}`;
}

function tables(): string {
  const servers = Object.values(PEERS).map(({ name, version }) => ({
    name,
    // A release is no change of the tables.
    version: name === "simulator" ? "(ours)" : version,
    notes: (id: (typeof CASE_LIST)[number]["id"]) => reasons(name, id),
  }));
  const clients = Object.values(CLIENTS).map(({ name, version }) => ({
    name,
    version,
    notes: (id: (typeof JOB_LIST)[number]["id"]) => notesOfClient(name, id),
  }));
  const s3ecClients = Object.values(S3EC_CLIENTS).map(({ name, version }) => ({
    name,
    version,
    notes: (id: S3ecCaseId) => notesOfS3ecClient(name, id),
  }));
  return [
    "### The plugin against servers that nobody here wrote",
    "`=`: as on AWS. A number stands for a difference, told below; each is asserted.",
    table("the plugin ...", CASE_LIST, servers),
    "### Clients that nobody here wrote against the simulator",
    "With signatures verified. `=`: all of it. A number stands for a limit of the client, told below.",
    table("the client ...", JOB_LIST, clients),
    "### The official S3 Encryption Clients and envelope mode",
    "Against the simulator and moto. `=`: all of it, and as envelope mode does. A number stands for a limit of the " +
      "client, told below; envelope mode has none of them.",
    table("the client ...", S3EC_CASE_LIST, s3ecClients),
  ].join("\n\n");
}

function notesOfClient(name: ClientName, id: (typeof JOB_LIST)[number]["id"]): readonly string[] {
  const cannot = LIMITS[name].cannot[id];
  return cannot === undefined ? reasonsFrom(LIMITS[name], JOBS[id].comesOf, id) : [`Cannot: ${cannot}`];
}

function notesOfS3ecClient(name: S3ecClientName, id: S3ecCaseId): readonly string[] {
  const cannot = S3EC_LIMITS[name].cannot[id];
  return cannot === undefined
    ? reasonsFrom(S3EC_LIMITS[name], S3EC_CASES[id].comesOf, id)
    : [`Cannot: ${cannot}`];
}

/** Rows by columns, and the notes by number. */
function table<Id extends string>(
  title: string,
  rows: readonly { readonly id: Id; readonly does: string }[],
  columns: readonly Column<Id>[],
): string {
  const numbers = new Map<string, number>();
  const numberOf = (note: string): number => {
    const number = numbers.get(note) ?? numbers.size + 1;
    numbers.set(note, number);
    return number;
  };
  const cell = (notes: readonly string[]): string =>
    notes.length === 0 ? "=" : notes.map(numberOf).join(", ");
  // By column: the notes of one stand together.
  const cells = columns.map(({ notes }) => rows.map(({ id }) => cell(notes(id))));
  const head = [title, ...columns.map(({ name, version }) => `${name} ${version}`)];
  const lines = rows.map(({ does }, i) => [does, ...cells.map((column) => column[i] ?? "")]);
  const told = [...numbers].map(([note, number]) => `${number}. ${note}`);
  return [
    ...[head, head.map(() => "---"), ...lines].map((line) => `| ${line.join(" | ")} |`),
    "",
    ...told,
  ].join("\n");
}
