/** The S3 and SQS emulator in a process of its own: `node s3-sqs-main.ts <port> <region>`. */
import { startFauxqs } from "fauxqs";

const [port, region] = process.argv.slice(2);
if (port === undefined || region === undefined) throw new Error("Usage: s3-sqs-main.ts <port> <region>");
await startFauxqs({ port: Number(port), host: "127.0.0.1", defaultRegion: region, logger: false });
