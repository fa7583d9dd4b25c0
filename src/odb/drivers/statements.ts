/** Backend.renderUpsert of SQLite and PostgreSQL. */
export function renderOnConflict(keys: readonly string[], columns: readonly string[]): string {
  const settings = columns.map((column) => `${column} = excluded.${column}`).join(", ");
  const action = columns.length === 0 ? "nothing" : `update set ${settings}`;
  return `on conflict (${keys.join(", ")}) do ${action}`;
}

/** Backend.addColumn of SQLite and PostgreSQL, which undo a migration that comes to no end. */
export function renderAddColumn(table: string, column: string, definition: string) {
  return [`alter table ${table} add column ${column} ${definition}`];
}
