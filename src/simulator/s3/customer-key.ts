/** SSE-C: the customer sends the key with every request; S3 keeps only its MD5. */
import { createHash } from "node:crypto";
import { header, type S3Call } from "./call.ts";
import { SSE_CUSTOMER_ALGORITHM, SSE_CUSTOMER_KEY, SSE_CUSTOMER_MD5 } from "./header-names.ts";
import { invalidArgument, invalidRequest, S3Error } from "./s3-error.ts";
import type { StoredEncryption } from "./stored-encryption.ts";

/**
 * MD5 (base64) of the customer key of a request, or undefined when it has none.
 *
 * @param of - `copy-source` reads the headers that open the source of a copy.
 * @throws `S3Error` when the three headers do not belong together.
 */
export function customerKeyMd5(call: S3Call, of: "object" | "copy-source" = "object"): string | undefined {
  const named = (name: string): string =>
    of === "object" ? name : name.replace("x-amz-", "x-amz-copy-source-");
  const algorithm = header(call, named(SSE_CUSTOMER_ALGORITHM));
  const key = header(call, named(SSE_CUSTOMER_KEY));
  const md5 = header(call, named(SSE_CUSTOMER_MD5));
  if (algorithm === undefined && key === undefined && md5 === undefined) return undefined;
  if (algorithm !== "AES256") {
    throw invalidArgument("The requested encryption algorithm is not valid, must be AES256.");
  }
  const bytes = Buffer.from(key ?? "", "base64");
  if (bytes.length !== 32) {
    throw invalidArgument("The secret key was invalid for the specified algorithm.");
  }
  if (createHash("md5").update(bytes).digest("base64") !== md5) {
    throw invalidArgument("The calculated MD5 hash of the key did not match the hash that was provided.");
  }
  return md5;
}

/** @throws `S3Error` unless the request brings the key that the object, or upload, was encrypted with. */
export function requireCustomerKey(encryption: StoredEncryption, md5: string | undefined): void {
  const wanted = encryption.customerKeyMd5;
  if (wanted === md5) return;
  if (wanted === undefined) {
    throw invalidRequest("The encryption parameters are not applicable to this object.");
  }
  if (md5 === undefined) {
    throw invalidRequest(
      "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.",
    );
  }
  throw new S3Error(403, "AccessDenied", "Access Denied");
}
