import type { S3Client } from "@aws-sdk/client-s3";

const SSE = "x-amz-server-side-encryption";

/** Which ARN goes by which word in the lines. */
export type KeyNames = Readonly<Record<string, string>>;

/**
 * Writes a line for each exchange of a client, as it went over the wire, retries included:
 * `PutObject aws:kms rule true -> 200 aws:kms rule true` is a request that said `aws:kms`, the rule's key and the
 * flag, and an answer that said the same; `GetObject -> 200` is one where neither said anything.
 */
export function logWire(client: S3Client, keys: KeyNames, lines: string[]): void {
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const asked = encryptionOf(headersOf(args.request), keys);
      const result = await next(args);
      const { statusCode } = result.response as { statusCode: number };
      const answered = encryptionOf(headersOf(result.response), keys);
      const operation = String(context.commandName).replace(/Command$/, "");
      lines.push(exchangeLine(operation, asked, statusCode, answered));
      return result;
    },
    // Innermost: behind signing and retries, with the answer as it came.
    { step: "deserialize", priority: "low", name: "peersWireLog" },
  );
}

/** One exchange as a line. */
export function exchangeLine(operation: string, asked: string, status: number, answered: string): string {
  return [operation, asked, "->", `${status}`, answered].filter((word) => word !== "").join(" ");
}

/** What headers say about encryption: algorithm, key and flag, as far as they are there. */
export function encryptionOf(headers: Readonly<Record<string, string>>, keys: KeyNames): string {
  const key = headers[`${SSE}-aws-kms-key-id`];
  const said = [headers[SSE], key && (keys[key] ?? "a key of its own"), headers[`${SSE}-bucket-key-enabled`]];
  return said.filter((word) => word !== undefined).join(" ");
}

function headersOf(message: unknown): Readonly<Record<string, string>> {
  return (message as { headers: Readonly<Record<string, string>> }).headers;
}
