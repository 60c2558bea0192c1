// A figure: a chart drawn to the width there is, its summary, its table when opened, its CSV when asked for.

/** Make a figure of the page; gives a function that draws it again. `draw(width)` gives nodes, `answer()` the data. */
function figure(id, {draw, answer, summary, file}) {
  const element = document.getElementById(id);
  const host = element.querySelector(".plot-host");
  const details = element.querySelector("details");
  let width = 0;
  const redraw = () => {
    width = host.clientWidth;
    if (width) host.replaceChildren(...[draw(width)].flat());
  };
  const fillTable = () => {
    if (details.open) details.querySelector(".scroll").replaceChildren(table(answer()));
  };
  new ResizeObserver(() => {
    if (host.clientWidth !== width) redraw();
  }).observe(host);
  details.addEventListener("toggle", fillTable);
  element.querySelector(".csv").addEventListener("click", () => download(`${file()}.csv`, csv(answer())));
  return () => {
    element.querySelector(".summary").textContent = summary();
    redraw();
    fillTable();
  };
}

/** An element with properties and children. */
function make(name, properties, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

/** A table of an answer; what is unknown is said, not left empty. */
function table({columns, rows}) {
  const numeric = columns.map((column) => column !== "genre" && column !== "company");
  const whole = columns.map((column) => column === "year" || column.endsWith("_id"));
  const head = make("tr", {}, ...columns.map((column, i) =>
    make("th", {scope: "col", className: numeric[i] ? "n" : "", textContent: column.replaceAll("_", " ")})));
  const body = rows.map((row) => make("tr", {}, ...row.map((value, i) => {
    if (value === "" || value === null) return make("td", {className: "n", textContent: numeric[i] ? "unknown" : ""});
    const text = numeric[i] && !whole[i] ? shownNumber(value) : value;
    return make("td", {className: numeric[i] ? "n" : "", textContent: text});
  })));
  return make("table", {}, make("thead", {}, head), make("tbody", {}, ...body));
}

/** A number as the answer has it, its thousands separated and no digit lost. */
function shownNumber(value) {
  const [, whole, rest] = String(value).match(/^(-?\d+)(.*)$/) ?? [null, String(value), ""];
  return whole.replace(/\B(?=(\d{3})+$)/g, ",") + rest;
}

function download(name, text) {
  const url = URL.createObjectURL(new Blob([text], {type: "text/csv;charset=utf-8"}));
  const link = make("a", {href: url, download: name});
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** The chosen value of a switch, and what to do when it changes. */
function chosen(name) {
  return document.querySelector(`input[name="${name}"]:checked`).value;
}

function onChoice(names, action) {
  for (const input of document.querySelectorAll(names.map((name) => `input[name="${name}"]`).join())) {
    input.addEventListener("change", action);
  }
}
