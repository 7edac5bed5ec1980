import type { S3Call } from "./call.ts";
import { invalidArgument } from "./s3-error.ts";

/**
 * Entries of one page of a listing.
 *
 * @throws `S3Error` 400 `InvalidArgument` for what is no whole number.
 */
export function pageSize(call: S3Call, parameter: string, most = 1_000): number {
  const text = call.query.get(parameter);
  if (text === undefined || text === "") return most;
  if (!/^\d{1,10}$/.test(text)) {
    throw invalidArgument(`Provided ${parameter} not an integer or within integer range`, {
      ArgumentName: parameter,
      ArgumentValue: text,
    });
  }
  return Math.min(Number(text), most);
}
