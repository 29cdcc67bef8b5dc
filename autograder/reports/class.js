"use strict";
// Sorts tables by a column's button and shows the rows that a search finds. The browser's history keeps both, so that
// whoever comes back from a student finds the table as it was.
const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
const tables = Array.from(document.querySelectorAll("table.sortable"));
const search = document.getElementById("search");
const found = document.getElementById("found");
const rows = Array.from(document.getElementById("people").tBodies[0].rows);
const texts = rows.map((row) => folded(row.textContent + " " + row.dataset.words));

function folded(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}

function value(row, column) {
  const cell = row.cells[column];
  return "v" in cell.dataset ? cell.dataset.v : cell.textContent.trim();
}

function sort(table, column, direction) {
  const header = table.tHead.rows[0].cells[column];
  const numeric = header.classList.contains("number");
  const compare = numeric ? (one, other) => one - other : collator.compare;
  const sign = direction === "descending" ? -1 : 1;
  const all = Array.from(table.tBodies[0].rows, (row) => [value(row, column), row]);
  const full = all.filter(([text]) => text !== "").sort(([one], [other]) => sign * compare(one, other));
  const empty = all.filter(([text]) => text === "");
  for (const cell of table.tHead.rows[0].cells) cell.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", direction);
  table.tBodies[0].append(...[...full, ...empty].map(([, row]) => row));
}

function show() {
  const words = folded(search.value).split(/\s+/);
  rows.forEach((row, number) => {
    row.hidden = !words.every((word) => texts[number].includes(word));
  });
  found.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} students shown`;
}

function remember() {
  const sorted = tables.map((table) => {
    const header = table.querySelector("[aria-sort]");
    return header && [header.cellIndex, header.getAttribute("aria-sort")];
  });
  history.replaceState({ words: search.value, sorted }, "");
}

for (const table of tables) {
  for (const header of table.tHead.rows[0].cells) {
    header.firstElementChild.addEventListener("click", () => {
      const ascending = header.getAttribute("aria-sort") === "ascending";
      sort(table, header.cellIndex, ascending ? "descending" : "ascending");
      remember();
    });
  }
}
search.addEventListener("input", () => {
  show();
  remember();
});
search.closest(".find").hidden = false;
if (history.state) {
  search.value = history.state.words;
  history.state.sorted.forEach((order, number) => order && sort(tables[number], ...order));
}
show();
