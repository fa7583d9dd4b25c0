import type { ReactNode } from "react";
import type { Health } from "../../shared/overview.ts";
import styles from "./data-table.module.css";

export interface Column<Row> {
  readonly title: string;
  /** Numbers stand right, so that their digits line up. */
  readonly isNumber?: boolean;
  /** Text that may be long and may wrap. */
  readonly isWide?: boolean;
  readonly cell: (row: Row) => ReactNode;
}

/**
 * A dense table. Where it is narrow each row becomes a block of named values, so that nothing
 * must be scrolled sideways; the roles keep it a table for screen readers all the same.
 */
export function DataTable<Row>(
  { label, columns, rows, keyOf, healthOf }: {
    readonly label: string;
    /** The first column names the row. */
    readonly columns: readonly Column<Row>[];
    readonly rows: readonly Row[];
    readonly keyOf: (row: Row) => string | number;
    readonly healthOf: (row: Row) => Health;
  },
) {
  return (
    <table className={styles["table"]} role="table" aria-label={label}>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map(({ title, isNumber }) => (
            <th key={title} role="columnheader" scope="col" data-number={isNumber}>{title}</th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row) => (
          <tr key={keyOf(row)} role="row" data-health={healthOf(row)}>
            {columns.map(({ title, isNumber, isWide, cell }, index) =>
              index === 0 ? <th key={title} role="rowheader" scope="row">{cell(row)}</th> : (
                <td
                  key={title}
                  role="cell"
                  data-label={title}
                  data-number={isNumber}
                  data-wide={isWide}
                >
                  {cell(row)}
                </td>
              )
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
