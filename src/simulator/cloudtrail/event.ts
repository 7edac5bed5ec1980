/**
 * A CloudTrail record of a KMS request that S3 makes on someone's behalf (simulated).
 *
 * Only fields that captures of real records attest (K1, K3); the envelope is K3's, the newest complete one.
 *
 * @public
 */
export interface CloudTrailEvent {
  readonly eventVersion: "1.11";
  readonly userIdentity: CloudTrailIdentity;
  /** ISO 8601, whole seconds, of the simulator's clock. */
  readonly eventTime: string;
  readonly eventSource: "kms.amazonaws.com";
  readonly eventName: "GenerateDataKey" | "Decrypt";
  readonly awsRegion: string;
  readonly sourceIPAddress: "AWS Internal";
  readonly userAgent: "AWS Internal";
  readonly requestParameters: {
    /** GenerateDataKey only: a Decrypt does not name its key here, so read `resources` (C4). */
    readonly keyId?: string;
    /** GenerateDataKey only. */
    readonly keySpec?: "AES_256";
    /** Decrypt only. */
    readonly encryptionAlgorithm?: "SYMMETRIC_DEFAULT";
    /** `aws:s3:arn` is the bucket's ARN with a bucket key, the object's without. */
    readonly encryptionContext: Readonly<Record<string, string>>;
  };
  readonly responseElements: null;
  /** GenerateDataKey only. */
  readonly additionalEventData?: { readonly keyMaterialId: string };
  readonly requestID: string;
  readonly eventID: string;
  readonly readOnly: true;
  readonly resources: readonly [
    { readonly accountId: string; readonly type: "AWS::KMS::Key"; readonly ARN: string },
  ];
  readonly eventType: "AwsApiCall";
  readonly managementEvent: true;
  readonly recipientAccountId: string;
  readonly eventCategory: "Management";
}

/**
 * Who S3 asks for. Fields that the simulator cannot know (`principalId`, `accessKeyId`) are left out.
 *
 * @public
 */
export interface CloudTrailIdentity {
  readonly type: "IAMUser" | "AssumedRole" | "Root" | "Unknown";
  readonly arn: string;
  readonly accountId?: string;
  readonly userName?: string;
  readonly sessionContext?: {
    readonly sessionIssuer: {
      readonly type: "Role";
      readonly arn: string;
      readonly accountId: string;
      readonly userName: string;
    };
  };
  readonly invokedBy: "AWS Internal";
}

/** What a record is built from. */
export interface KmsRequestFacts {
  readonly sequence: number;
  readonly timeMs: number;
  readonly action: "GenerateDataKey" | "Decrypt";
  readonly requester: string;
  readonly kmsKeyArn: string;
  readonly context: Readonly<Record<string, string>>;
}
