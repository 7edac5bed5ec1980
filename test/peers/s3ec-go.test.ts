import { s3ecGo } from "./s3ec/go.ts";
import { describeS3ec } from "./s3ec/suite.ts";

describeS3ec(s3ecGo);
