import { createHash } from "node:crypto";

/** 64 hex digits that stand for a key's material in CloudTrail and in answers; the same for the same key. */
export function keyMaterialId(kmsKeyArn: string): string {
  return createHash("sha256").update(`key material of ${kmsKeyArn}`).digest("hex");
}
