"use strict";
// Makes every table of the page sortable by its headings, and the larger ones filterable.

// What a cell says, without the small texts that explain it.
function textOf(cell) {
  const said = [...cell.childNodes].filter((node) => node.nodeName !== "SMALL");
  return said.map((node) => node.textContent).join("").trim();
}

function sortValue(cell) {
  if (cell.dataset.sort !== undefined) return Number(cell.dataset.sort);
  return textOf(cell).toLowerCase();
}

function compare(left, right) {
  if (typeof left === "number" && typeof right === "number") return left - right;
  return String(left).localeCompare(String(right), "en", { numeric: true });
}

function sortBy(table, place) {
  const heads = [...table.tHead.rows[0].cells];
  const descending = heads[place].getAttribute("aria-sort") === "ascending";
  heads.forEach((head) => head.removeAttribute("aria-sort"));
  heads[place].setAttribute("aria-sort", descending ? "descending" : "ascending");
  const body = table.tBodies[0];
  const isNumber = (row) => row.cells[place].dataset.sort !== undefined;
  const numeric = [...body.rows].some(isNumber);
  const rows = [...body.rows].map((row, order) => ({ row, order, value: sortValue(row.cells[place]) }));
  rows.sort((a, b) => {
    // What has no value stays at the end in either direction.
    const lacking = numeric ? !isNumber(a.row) - !isNumber(b.row) : !a.value - !b.value;
    if (lacking) return lacking;
    return (descending ? -1 : 1) * compare(a.value, b.value) || a.order - b.order;
  });
  table.classList.add("sorted");
  rows.forEach(({ row }) => { row.classList.remove("rule"); body.append(row); });
}

function filter(table, tools) {
  const words = tools.querySelector("input").value.toLowerCase().split(/\s+/).filter(Boolean);
  const chosen = [...tools.querySelectorAll("select")];
  let shown = 0;
  for (const row of table.tBodies[0].rows) {
    const text = row.textContent.toLowerCase();
    const visible = words.every((word) => text.includes(word)) && chosen.every(
      (select) => !select.value || textOf(row.cells[select.dataset.place]) === select.value);
    row.hidden = !visible;
    shown += visible;
  }
  tools.querySelector(".count").textContent = `${shown} of ${table.tBodies[0].rows.length} rows`;
}

function addTools(table) {
  const tools = document.createElement("div");
  tools.className = "tools";
  const input = document.createElement("input");
  input.type = "search";
  input.placeholder = "Filter rows";
  input.setAttribute("aria-label", `Filter the rows of ${table.id.replace("table-", "")}`);
  tools.append(input);
  [...table.tHead.rows[0].cells].forEach((head, place) => {
    const name = head.textContent.trim();
    if (!["Task", "Dataset", "Metric"].includes(name)) return;
    const select = document.createElement("select");
    select.dataset.place = place;
    select.setAttribute("aria-label", name);
    select.add(new Option(`${name}: all`, ""));
    const values = new Set([...table.tBodies[0].rows].map((row) => textOf(row.cells[place])));
    values.forEach((value) => value && select.add(new Option(value, value)));
    tools.append(select);
  });
  const count = document.createElement("span");
  count.className = "count";
  count.setAttribute("aria-live", "polite");
  tools.append(count);
  tools.addEventListener("input", () => filter(table, tools));
  table.parentElement.before(tools);
  filter(table, tools);
}

for (const table of document.querySelectorAll("table")) {
  [...table.tHead.rows[0].cells].forEach((head, place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => sortBy(table, place));
  });
  if (table.tBodies[0].rows.length > 12) addTools(table);
}
