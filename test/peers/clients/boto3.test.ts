import { boto3 } from "./boto3.ts";
import { describeClient } from "./suite.ts";

describeClient(boto3);
