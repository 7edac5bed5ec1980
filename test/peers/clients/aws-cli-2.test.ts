import { awsCli2 } from "./aws-cli.ts";
import { describeClient } from "./suite.ts";

describeClient(awsCli2);
