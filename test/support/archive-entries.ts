/** Entries of the archive, for tests that do not go through the archiver. */
import { createHash } from "node:crypto";
import { BatchWriteItemCommand } from "@aws-sdk/client-dynamodb";
import type { ArchiveEntry } from "../../contracts/dead-letter-archive.ts";
import { itemOf } from "../../runtime/archive/archive-item.ts";
import type { TestArchive } from "./archive-storage.ts";

export const ARCHIVED_AT_MS = Date.UTC(2026, 0, 31, 12);

const MAX_ITEMS_A_WRITE = 25;

/** The nth entry of a test; what differs is given. */
export const entryAt = (n: number, changes: Partial<ArchiveEntry> = {}): ArchiveEntry => ({
  id: createHash("sha256").update(String(n)).digest("hex").slice(0, 32),
  kind: "record",
  reason: "user-code-failed",
  stage: "airport-delays",
  source: { kind: "kafka", topic: "flights", partition: 0, offset: String(n) },
  detail: "map threw",
  firstAtMs: ARCHIVED_AT_MS + n,
  lastAtMs: ARCHIVED_AT_MS + n,
  valueBytes: 100,
  type: "flight.departed",
  state: "archived",
  stateAtMs: ARCHIVED_AT_MS + n,
  redriveCount: 0,
  ...changes,
});

/** Puts many items in at once. */
export async function fill({ storage, table }: TestArchive, entries: readonly ArchiveEntry[]): Promise<void> {
  for (let start = 0; start < entries.length; start += MAX_ITEMS_A_WRITE) {
    const items = entries.slice(start, start + MAX_ITEMS_A_WRITE).map(itemOf);
    const RequestItems = { [table]: items.map((Item) => ({ PutRequest: { Item } })) };
    await storage.dynamodb.send(new BatchWriteItemCommand({ RequestItems }));
  }
}
