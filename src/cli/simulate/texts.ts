/** What `simulate` says: to a shell, to a person, to a program. */
import type { S3KmsRequest } from "../../simulator/index.ts";

/** What a program needs to talk to the simulator. */
export interface Surroundings {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  /** Only of the simulator's own throw-away access key: one that comes from a file is never shown. */
  readonly secretAccessKey?: string;
  /** Where the secret stands otherwise. */
  readonly credentialsFile?: string;
}

/** Names and values of the environment, as the SDKs and the AWS CLI read it. */
export function environmentOf({
  endpoint,
  region,
  ...given
}: Surroundings): Readonly<Record<string, string>> {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: given.accessKeyId,
    ...(given.secretAccessKey !== undefined && { AWS_SECRET_ACCESS_KEY: given.secretAccessKey }),
  };
}

/** Lines for a shell to read: nothing in a value needs quotes. */
export function shellLines(surroundings: Surroundings): string {
  const { accessKeyId, credentialsFile } = surroundings;
  const lines = Object.entries(environmentOf(surroundings)).map(([name, value]) => `export ${name}=${value}`);
  // A profile would go before the access key, and a token of another session would spoil it.
  lines.push("unset AWS_PROFILE AWS_SESSION_TOKEN");
  if (credentialsFile !== undefined) {
    lines.push(`# AWS_SECRET_ACCESS_KEY: that of ${accessKeyId} in ${credentialsFile}`);
  }
  return `${lines.join("\n")}\n`;
}

/** What a person wants to know when it has started. */
export function greeting(
  { endpoint }: Surroundings,
  buckets: readonly string[],
  kmsKeys: readonly string[],
): string {
  const lines = [
    "",
    `S3 and KMS, simulated, at ${endpoint} for programs on this machine.`,
    "Set the printed variables where your program runs. Buckets go into the path;",
    "most clients do that by themselves for an IP address. Else: forcePathStyle",
    "(JavaScript), UsePathStyle (Go), addressing_style: path (Python).",
    "",
    ...buckets.map((name) => `bucket   ${name}`),
    ...kmsKeys.map((name) => `KMS key  ${name}`),
    ...(buckets.length + kmsKeys.length > 0 ? [""] : []),
    "The KMS requests that S3 itself would make, as JSON, at any time:",
    `  curl ${endpoint}/_simulator/kms-requests`,
    "Ctrl-C ends it and shows their sum.",
    "",
  ];
  return `${lines.join("\n")}\n`;
}

/** One line, whenever there is news. */
export function countLine(requests: readonly S3KmsRequest[], before: number, at: Date): string {
  const total = totalOf(requests);
  const news = total > before && before > 0 ? `, +${number(total - before)}` : "";
  const byAction = [...groups(requests, ({ action }) => action)]
    .map(([action, count]) => `${number(count)} ${action}`)
    .join(", ");
  return `${at.toTimeString().slice(0, 8)}  ${number(total)} KMS requests by S3 (simulated)${news}: ${byAction || "none"}\n`;
}

/** What S3 asked of KMS by action, level and bucket, the most first. */
export function summaryTable(requests: readonly S3KmsRequest[]): string {
  const sums = groups(requests, ({ action, bucketLevel, bucket }) =>
    JSON.stringify([action, bucketLevel ? "bucket" : "object", bucket]),
  );
  if (sums.size === 0) return "\nS3 made no KMS requests (simulated).\n";
  const rows = [...sums]
    .toSorted(([, a], [, b]) => b - a)
    .map(([group, count]) => [number(count), ...(JSON.parse(group) as [string, string, string])]);
  const table = [
    ["requests", "action", "level", "bucket"],
    ...rows,
    [number(totalOf(requests)), "in all", "", ""],
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => (row[column] ?? "").length)));
  const lines = table.map(([count = "", action = "", level = "", bucket = ""]) =>
    [count.padStart(widths[0] ?? 0), action.padEnd(widths[1] ?? 0), level.padEnd(widths[2] ?? 0), bucket]
      .join("  ")
      .trimEnd(),
  );
  return `\nKMS requests made by S3 (simulated)\n\n${lines.join("\n")}\n`;
}

export function totalOf(requests: readonly S3KmsRequest[]): number {
  return requests.reduce((sum, { count }) => sum + count, 0);
}

function groups(
  requests: readonly S3KmsRequest[],
  keyOf: (request: S3KmsRequest) => string,
): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const request of requests) {
    const key = keyOf(request);
    sums.set(key, (sums.get(key) ?? 0) + request.count);
  }
  return sums;
}

function number(count: number): string {
  return count.toLocaleString("en");
}
