import { sdkJava } from "./java.ts";
import { describeClient } from "./suite.ts";

describeClient(sdkJava);
