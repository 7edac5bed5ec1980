/**
 * A CloudTrail record of a KMS request that S3 makes on someone's behalf (simulated).
 *
 * Only fields that captures of real records attest (K1, K3); the envelope is K3's, the newest complete one.
 *
 * @public
 */
export interface CloudTrailEvent {
  /** Version of the record format. */
  readonly eventVersion: "1.11";
  /** Who S3 asks for. */
  readonly userIdentity: CloudTrailIdentity;
  /** ISO 8601, whole seconds, of the simulator's clock. */
  readonly eventTime: string;
  /** The service that was asked. */
  readonly eventSource: "kms.amazonaws.com";
  /** What was asked; `Encrypt` for replicas, of which no capture is known: its parameters are those of KMS. */
  readonly eventName: "GenerateDataKey" | "Decrypt" | "Encrypt";
  /** Region of the key. */
  readonly awsRegion: string;
  /** Requests of S3 come from inside AWS. */
  readonly sourceIPAddress: "AWS Internal";
  /** Requests of S3 come from inside AWS. */
  readonly userAgent: "AWS Internal";
  /** What was asked about. */
  readonly requestParameters: {
    /** Not with Decrypt: a Decrypt does not name its key here, so read `resources` (C4). */
    readonly keyId?: string;
    /** GenerateDataKey only. */
    readonly keySpec?: "AES_256";
    /** Decrypt and Encrypt. */
    readonly encryptionAlgorithm?: "SYMMETRIC_DEFAULT";
    /** `aws:s3:arn` is the bucket's ARN with a bucket key, the object's without. */
    readonly encryptionContext: Readonly<Record<string, string>>;
  };
  /** Answers of KMS are not recorded. */
  readonly responseElements: null;
  /** GenerateDataKey only. */
  readonly additionalEventData?: { readonly keyMaterialId: string };
  /** UUID of the request. */
  readonly requestID: string;
  /** UUID of the record. */
  readonly eventID: string;
  /** Neither request changes a key. */
  readonly readOnly: true;
  /** The KMS key. */
  readonly resources: readonly [
    { readonly accountId: string; readonly type: "AWS::KMS::Key"; readonly ARN: string },
  ];
  /** Kind of the record. */
  readonly eventType: "AwsApiCall";
  /** KMS requests are management events. */
  readonly managementEvent: true;
  /** The account that gets the record. */
  readonly recipientAccountId: string;
  /** Kind of the event. */
  readonly eventCategory: "Management";
}

/**
 * Who S3 asks for. Fields that the simulator cannot know (`principalId`, `accessKeyId`) are left out.
 *
 * @public
 */
export interface CloudTrailIdentity {
  /** Kind of the principal. */
  readonly type: "IAMUser" | "AssumedRole" | "Root" | "Unknown";
  /** ARN of the principal; of the session for a role. */
  readonly arn: string;
  /** Account of the principal. */
  readonly accountId?: string;
  /** Name of an IAM user. */
  readonly userName?: string;
  /** The role behind a session. */
  readonly sessionContext?: {
    readonly sessionIssuer: {
      readonly type: "Role";
      readonly arn: string;
      readonly accountId: string;
      readonly userName: string;
    };
  };
  /** S3 asks, not the principal itself. */
  readonly invokedBy: "AWS Internal";
}

/** What a record is built from. */
export interface KmsRequestFacts {
  readonly sequence: number;
  readonly timeMs: number;
  readonly action: "GenerateDataKey" | "Decrypt" | "Encrypt";
  readonly requester: string;
  readonly kmsKeyArn: string;
  readonly context: Readonly<Record<string, string>>;
}
