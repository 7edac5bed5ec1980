import { s3ecJava } from "./s3ec/java.ts";
import { describeS3ec } from "./s3ec/suite.ts";

describeS3ec(s3ecJava);
