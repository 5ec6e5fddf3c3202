/** The geolocation service in a process of its own: `node geolocation-main.ts <port>`. */
import { Geolocation } from "./geolocation.ts";

const [port] = process.argv.slice(2);
if (port === undefined) throw new Error("Usage: geolocation-main.ts <port>");
await Geolocation.listen(Number(port));
