/** CloudTrail's log files: events in the order of their time, gzipped JSON, under the keys that CloudTrail gives. */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import type { S3DataEvent } from "./data-event.ts";
import type { CloudTrailEvent } from "./event.ts";

/**
 * A log file as CloudTrail delivers it to a bucket (simulated).
 *
 * @public
 */
export interface CloudTrailFile {
  /** `AWSLogs/ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/ACCOUNT_CloudTrail_REGION_YYYYMMDDTHHMMZ_ID.json.gz`. */
  readonly key: string;
  /** Gzipped JSON: `{ "Records": [...] }`. */
  readonly body: Uint8Array;
  /** Number of records in it. */
  readonly records: number;
}

/** CloudTrail delivers about every five minutes. */
const WINDOW_MS = 5 * 60_000;
/** More events of one window make another file. */
const MAX_RECORDS = 5_000;

/** The same events give the same files, names included. */
export function cloudTrailFiles(
  events: readonly (CloudTrailEvent | S3DataEvent)[],
  trail: Readonly<{ region: string; accountId: string }>,
): readonly CloudTrailFile[] {
  const files: CloudTrailFile[] = [];
  let open: { readonly endMs: number; readonly records: object[] } | undefined;
  const close = (): void => {
    if (open !== undefined) files.push(fileOf(open.records, open.endMs, trail));
  };
  // A stable sort: what happened within one second stays in its order.
  for (const event of events.toSorted((a, b) => compare(a.eventTime, b.eventTime))) {
    const endMs = (Math.floor(Date.parse(event.eventTime) / WINDOW_MS) + 1) * WINDOW_MS;
    if (open === undefined || open.endMs !== endMs || open.records.length === MAX_RECORDS) {
      close();
      open = { endMs, records: [] };
    }
    open.records.push(event);
  }
  close();
  return files;
}

function fileOf(
  records: readonly object[],
  endMs: number,
  { region, accountId }: Readonly<{ region: string; accountId: string }>,
): CloudTrailFile {
  const text = JSON.stringify({ Records: records });
  const id = createHash("sha256").update(text).digest("hex").slice(0, 16);
  const [date = "", time = ""] = new Date(endMs).toISOString().split("T");
  const stamp = `${date.replaceAll("-", "")}T${time.slice(0, 5).replace(":", "")}Z`;
  const folder = `AWSLogs/${accountId}/CloudTrail/${region}/${date.replaceAll("-", "/")}`;
  return {
    key: `${folder}/${accountId}_CloudTrail_${region}_${stamp}_${id}.json.gz`,
    body: gzipSync(text),
    records: records.length,
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
