import { keyMaterialId } from "../kms/key-material.ts";
import type { CloudTrailEvent, CloudTrailIdentity, KmsRequestFacts } from "./event.ts";

/**
 * The CloudTrail record of one KMS request by S3.
 *
 * The same facts give the same record, ids included: they count the requests of one ledger.
 */
export function cloudTrailRecord(
  request: KmsRequestFacts,
  trail: Readonly<{ region: string; accountId: string }>,
): CloudTrailEvent {
  const generates = request.action === "GenerateDataKey";
  return {
    eventVersion: "1.11",
    userIdentity: identityOf(request.requester),
    eventTime: eventTime(request.timeMs),
    eventSource: "kms.amazonaws.com",
    eventName: request.action,
    awsRegion: trail.region,
    sourceIPAddress: "AWS Internal",
    userAgent: "AWS Internal",
    requestParameters: parametersOf(request),
    responseElements: null,
    ...(generates && { additionalEventData: { keyMaterialId: keyMaterialId(request.kmsKeyArn) } }),
    requestID: numbered("00000001", request.sequence),
    eventID: numbered("00000002", request.sequence),
    readOnly: true,
    resources: [
      {
        accountId: request.kmsKeyArn.split(":")[4] ?? trail.accountId,
        type: "AWS::KMS::Key",
        ARN: request.kmsKeyArn,
      },
    ],
    eventType: "AwsApiCall",
    managementEvent: true,
    recipientAccountId: trail.accountId,
    eventCategory: "Management",
  };
}

function parametersOf({ action, kmsKeyArn, context }: KmsRequestFacts): CloudTrailEvent["requestParameters"] {
  switch (action) {
    case "GenerateDataKey":
      return { keyId: kmsKeyArn, encryptionContext: context, keySpec: "AES_256" };
    case "Decrypt":
      return { encryptionAlgorithm: "SYMMETRIC_DEFAULT", encryptionContext: context };
    case "Encrypt":
      return { keyId: kmsKeyArn, encryptionAlgorithm: "SYMMETRIC_DEFAULT", encryptionContext: context };
  }
}

/** @param requester - ARN of a user, a role's session or an account's root; another text is kept as it is. */
export function identityOf(requester: string): CloudTrailIdentity {
  const [, partition, service, , accountId = "", resource = ""] = requester.split(":");
  const [kind, name = ""] = resource.split("/");
  const common = { arn: requester, accountId, invokedBy: "AWS Internal" } as const;
  if (service === "sts" && kind === "assumed-role") {
    const arn = `arn:${partition}:iam::${accountId}:role/${name}`;
    const sessionIssuer = { type: "Role", arn, accountId, userName: name } as const;
    return { type: "AssumedRole", ...common, sessionContext: { sessionIssuer } };
  }
  if (service === "iam" && kind === "user") {
    return { type: "IAMUser", ...common, userName: resource.slice(resource.lastIndexOf("/") + 1) };
  }
  if (service === "iam" && resource === "root") return { type: "Root", ...common };
  return { type: "Unknown", arn: requester, invokedBy: "AWS Internal" };
}

/** A UUID by its looks, and a number to read: nobody should take it for one of AWS's. */
export function numbered(kind: string, sequence: number): string {
  return `${kind}-0000-4000-8000-${sequence.toString(16).padStart(12, "0")}`;
}

/** Records have whole seconds. */
export function eventTime(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19)}Z`;
}
