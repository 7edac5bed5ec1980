export { bucketDefaultsFrom } from "./from-client.ts";
export type { BucketDefaultsClient, BucketDefaultsOptions } from "./from-client.ts";
