import { s3ecPython } from "./s3ec/python.ts";
import { describeS3ec } from "./s3ec/suite.ts";

describeS3ec(s3ecPython);
