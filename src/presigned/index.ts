export { presignedUrl } from "./url.ts";
export type { PresignedCommand, PresignedUrl, PresignedUrlOptions, PresigningClient } from "./url.ts";
