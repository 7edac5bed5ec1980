import { awsCli1 } from "./aws-cli.ts";
import { describeClient } from "./suite.ts";

describeClient(awsCli1);
