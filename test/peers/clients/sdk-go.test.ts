import { sdkGo } from "./go.ts";
import { describeClient } from "./suite.ts";

describeClient(sdkGo);
