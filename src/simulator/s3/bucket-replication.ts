/** PutBucketReplication, GetBucketReplication, DeleteBucketReplication. */
import { receiveBody } from "./body.ts";
import type { Answer, S3Call } from "./call.ts";
import type { Replication, ReplicationRule } from "./replication-rules.ts";
import { invalidArgument, invalidRequest, malformedXml, notImplemented, S3Error } from "./s3-error.ts";
import { bucketOf, type S3State } from "./state.ts";
import type { Bucket } from "./store.ts";
import { parseXml, s3Xml, type XmlElement, type XmlObject } from "./xml.ts";

const MAX_XML_BYTES = 2 * 1024 ** 2;
const MAX_RULES = 1_000;
const SCHEMA =
  "must be specified for this version of Cross Region Replication configuration schema. Please refer to S3 Developer Guide for more information.";

export async function putBucketReplication(state: S3State, call: S3Call): Promise<Answer> {
  const bucket = bucketOf(state, call.bucket);
  const { bytes } = await receiveBody(call, { maxBytes: MAX_XML_BYTES });
  const configuration = parseXml(bytes, "ReplicationConfiguration");
  const role = configuration.requiredText("Role");
  if (!/^arn:[^:]+:iam::\d{12}:role\/./.test(role)) {
    throw invalidArgument("Invalid Role specified in replication configuration", { ArgumentName: "Role" });
  }
  const written = configuration.children("Rule");
  if (written.length === 0 || written.length > MAX_RULES) throw malformedXml();
  const rules = written.map((rule, index) => parseRule(rule, `rule-${index + 1}`));
  checkRules(state, bucket, rules);
  bucket.replication = { role, rules };
  return { status: 200 };
}

/** What would be taken and not done is refused. */
const NOT_SIMULATED: readonly (readonly [path: readonly string[], what: string])[] = [
  [["Filter", "Tag"], "A filter by tag"],
  [["Filter", "And", "Tag"], "A filter by tag"],
  [["SourceSelectionCriteria", "ReplicaModifications"], "ReplicaModifications"],
  [["Destination", "AccessControlTranslation"], "AccessControlTranslation"],
  [["Destination", "Account"], "A destination in another account"],
  [["Destination", "ReplicationTime"], "ReplicationTime"],
  [["Destination", "Metrics"], "Metrics"],
];

function parseRule(rule: XmlElement, defaultId: string): ReplicationRule {
  for (const [path, what] of NOT_SIMULATED) {
    if (reaches(rule, path)) throw notImplemented(`${what} in a replication rule is not simulated.`);
  }
  const filter = rule.child("Filter");
  const destination = rule.child("Destination");
  const arn = /^arn:[^:]+:s3:::([^/]+)$/.exec(destination?.text("Bucket") ?? "");
  if (destination === undefined || arn === null) throw malformedXml();
  const replicatesKmsObjects =
    isEnabled(rule.child("SourceSelectionCriteria")?.child("SseKmsEncryptedObjects")) ?? false;
  const replicaKmsKey = destination.child("EncryptionConfiguration")?.text("ReplicaKmsKeyID");
  if (replicatesKmsObjects && replicaKmsKey === undefined) {
    throw invalidRequest("ReplicaKmsKeyID must be specified if SseKmsEncryptedObjects tag is present");
  }
  const markers = isEnabled(rule.child("DeleteMarkerReplication"));
  if (filter !== undefined && markers === undefined)
    throw invalidRequest(`DeleteMarkerReplication ${SCHEMA}`);
  return {
    id: rule.text("ID") || defaultId,
    isEnabled: isEnabled(rule) ?? false,
    isFirstVersion: filter === undefined,
    priority: filter === undefined ? 0 : priorityOf(rule.text("Priority")),
    prefix: filter?.child("And")?.text("Prefix") ?? filter?.text("Prefix") ?? rule.text("Prefix") ?? "",
    destination: arn[1] as string,
    storageClass: destination.text("StorageClass"),
    replicatesKmsObjects,
    replicaKmsKey,
    replicatesDeleteMarkers: filter === undefined || markers === true,
  };
}

function reaches(element: XmlElement, [name, ...rest]: readonly string[]): boolean {
  return name === undefined || element.children(name).some((child) => reaches(child, rest));
}

/** Undefined when the element is not there. */
function isEnabled(element: XmlElement | undefined): boolean | undefined {
  if (element === undefined) return undefined;
  switch (element.requiredText("Status")) {
    case "Enabled":
      return true;
    case "Disabled":
      return false;
    default:
      throw malformedXml();
  }
}

function priorityOf(text: string | undefined): number {
  if (text === undefined) throw invalidRequest(`Priority ${SCHEMA}`);
  if (!/^\d{1,10}$/.test(text)) throw malformedXml();
  return Number(text);
}

/** Both sides keep versions; the KMS key and the role are not looked at. */
function checkRules(state: S3State, bucket: Bucket, rules: readonly ReplicationRule[]): void {
  if (bucket.versioning !== "Enabled") {
    throw invalidRequest("Versioning must be 'Enabled' on the bucket to apply a replication configuration");
  }
  for (const { destination } of rules) {
    if (destination === bucket.name) {
      throw invalidRequest("Destination bucket cannot be the same as the source bucket.");
    }
    const found = state.buckets.get(destination);
    if (found === undefined) throw invalidRequest("Destination bucket must exist.");
    if (found.versioning !== "Enabled")
      throw invalidRequest("Destination bucket must have versioning enabled.");
  }
  const priorities = rules.filter((rule) => !rule.isFirstVersion).map(({ priority }) => priority);
  if (new Set(priorities).size < priorities.length) {
    throw invalidRequest("Found duplicate priorities in the replication configuration rules.");
  }
  if (new Set(rules.map(({ id }) => id)).size < rules.length) {
    throw invalidArgument("Rule Id must be unique. Found same Id for more than one rule");
  }
}

export function getBucketReplication(state: S3State, call: S3Call): Answer {
  const { replication } = bucketOf(state, call.bucket);
  if (replication === undefined) {
    throw new S3Error(
      404,
      "ReplicationConfigurationNotFoundError",
      "The replication configuration was not found",
      { BucketName: call.bucket },
    );
  }
  return { status: 200, body: s3Xml("ReplicationConfiguration", writtenAgain(replication)) };
}

function status(enabled: boolean): XmlObject {
  return { Status: enabled ? "Enabled" : "Disabled" };
}

function writtenAgain({ role, rules }: Replication): XmlObject {
  return {
    Role: role,
    Rule: rules.map((rule) => ({
      ID: rule.id,
      ...(rule.isFirstVersion
        ? { Prefix: rule.prefix }
        : { Priority: rule.priority, Filter: { Prefix: rule.prefix } }),
      ...status(rule.isEnabled),
      ...(rule.replicatesKmsObjects && {
        SourceSelectionCriteria: { SseKmsEncryptedObjects: status(true) },
      }),
      Destination: {
        Bucket: `arn:aws:s3:::${rule.destination}`,
        StorageClass: rule.storageClass,
        ...(rule.replicaKmsKey !== undefined && {
          EncryptionConfiguration: { ReplicaKmsKeyID: rule.replicaKmsKey },
        }),
      },
      ...(!rule.isFirstVersion && { DeleteMarkerReplication: status(rule.replicatesDeleteMarkers) }),
    })),
  };
}

/** What waits already is still replicated. */
export function deleteBucketReplication(state: S3State, call: S3Call): Answer {
  bucketOf(state, call.bucket).replication = undefined;
  return { status: 204 };
}
