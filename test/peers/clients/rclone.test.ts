import { rclone } from "./rclone.ts";
import { describeClient } from "./suite.ts";

describeClient(rclone);
