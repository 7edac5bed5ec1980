/**
 * `s3-bucket-keys/testing`: an S3 and KMS endpoint in this process that counts the KMS requests S3 would make.
 *
 * @packageDocumentation
 */
export { startSimulator } from "./simulator.ts";
export type {
  BucketEncryption,
  BucketOptions,
  Simulator,
  SimulatorClientConfig,
  SimulatorOptions,
} from "./simulator.ts";
export type { SimulatorCredentials } from "./credentials.ts";
export type { UnknownRow, UnknownRowAnswer, UnknownRows } from "./s3/encryption.ts";
export type { InventoryField } from "./s3/inventory-columns.ts";
export type { InventoryManifest, InventoryOptions, InventoryReport } from "./s3/inventory.ts";
export type { ReplicationOutcome } from "./s3/replicate.ts";
export type { S3DataEvent, SseApplied } from "./cloudtrail/data-event.ts";
export type { CloudTrailFile } from "./cloudtrail/files.ts";
export type { CloudTrailEvent, CloudTrailIdentity } from "./cloudtrail/event.ts";
export type { FaultRule, InjectedFault, SimulatorFault } from "./faults/fault.ts";
export {
  PolicyDocumentError,
  type PolicyDocument,
  type PolicyStatement,
  type PolicyValue,
} from "./iam/policy-document.ts";
export type { KmsQuota } from "./kms/throttle.ts";
export type { ClientCall } from "./kms/client-calls.ts";
export type { KeyState, KmsKey } from "./kms/key-store.ts";
export type { KmsAction, S3KmsRequest } from "./ledger/ledger.ts";
