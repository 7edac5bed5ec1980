import { html, type Markup } from "./html.ts";
import { numeral } from "./tally.ts";

/** A table in which rows have a name first, and then numbers, or texts. */
export interface Table {
  readonly caption: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

/** A table that is always there. */
export function openTable({ caption, columns, rows }: Table): Markup {
  const isNumber = columns.map((_name, i) => rows.some((row) => i > 0 && isNumeric(row[i])));
  const cells = (row: readonly (string | number)[]): Markup[] =>
    row.map((cell, i) => {
      const text = typeof cell === "number" ? numeral(cell) : cell;
      return i === 0 ? html`<th scope="row">${text}</th>` : html`<td ${align(isNumber[i])}>${text}</td>`;
    });
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}">
    <table>
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          ${columns.map((name, i) => html`<th scope="col" ${align(isNumber[i])}>${name}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              ${cells(row)}
            </tr> `,
        )}
      </tbody>
    </table>
  </div>`;
}

/** Shares and durations stand under each other as counts do. */
function isNumeric(cell: string | number | undefined): boolean {
  return typeof cell === "number" || /^[\d.]+ (?:%|ms)$/.test(cell ?? "");
}

function align(isNumber: boolean | undefined): Markup {
  return isNumber === true ? html`class="number"` : html``;
}

/** The numbers of a chart: folded away on a screen, printed always. */
export function tableOf(table: Table): Markup {
  return html`<details>
    <summary>Numbers: ${table.caption}</summary>
    ${openTable(table)}
  </details>`;
}
