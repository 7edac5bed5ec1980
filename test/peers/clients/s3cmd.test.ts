import { s3cmd } from "./s3cmd.ts";
import { describeClient } from "./suite.ts";

describeClient(s3cmd);
