/** Rows of a query that may be more than memory should hold. */
import type { DuckDBConnection } from "@duckdb/node-api";

/** As they come, some thousand at a time. Another statement of the same connection would end them. */
export async function* streamRows<Row extends readonly unknown[]>(
  db: DuckDBConnection,
  sql: string,
): AsyncGenerator<readonly Row[]> {
  const rows = await db.stream(sql);
  for (let chunk = await rows.fetchChunk(); chunk && chunk.rowCount > 0; chunk = await rows.fetchChunk()) {
    yield chunk.getRows() as unknown as readonly Row[];
  }
}
