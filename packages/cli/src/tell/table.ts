/** Rows as aligned columns, two spaces apart. The first row is the heading. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** Bytes with three digits that mean something: `1.35 MB`. */
export function bytesText(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const [unit, scale] = bytes < 1e6 ? ["kB", 1e3] : bytes < 1e9 ? ["MB", 1e6] : ["GB", 1e9];
  return `${Number((bytes / Number(scale)).toPrecision(3))} ${unit}`;
}

/** A tensor as `ids INT32[-1, 128]`. */
export function tensorText({ name, datatype, shape }: { name: string; datatype: string; shape: readonly number[] }) {
  return `${name} ${datatype}[${shape.join(", ")}]`;
}
