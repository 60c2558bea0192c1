// The data of the page: rows that come as text, amounts as words, CSV that opens safely in a spreadsheet.

const MEASURES = ["revenue", "budget", "profit"];
const MEASURE_NAMES = {revenue: "Revenue", budget: "Budget", profit: "Profit"};

/** Rows of text: { year, movies, revenue: {known, full, allocated}, budget: …, profit: …, popularity }. */
function moneyRows(text) {
  return cells(text).map((cell) => {
    const row = {year: +cell[0], movies: +cell[1], popularity: cell[11] ?? ""};
    MEASURES.forEach((measure, i) => {
      const [known, full, allocated] = cell.slice(2 + 3 * i, 5 + 3 * i);
      row[measure] = {known: +known, full, allocated};
    });
    return row;
  });
}

function cells(text) {
  return text ? text.split(";").map((line) => line.split(",")) : [];
}

/** A cell as a number; null where it is unknown. */
function amount(text) {
  return text === "" ? null : +text;
}

/** Rows with the amount of one measure, counted in one way. */
function measured(rows, measure, counting) {
  return rows.map((row) => ({
    year: row.year, movies: row.movies, known: row[measure].known, value: amount(row[measure][counting]),
  }));
}

/** The columns and rows of the answer about a measure, as in answers/<thing>_<measure>_by_year.csv. */
function moneyAnswer(thing, measure, groups) {
  const names = thing === "genre" ? ["year", "genre_id", "genre"] : ["company_id", "company", "year"];
  const columns = [...names, "movies", `movies_with_${measure}`, `${measure}_usd`, `${measure}_usd_allocated`];
  const rows = groups.flatMap(({id, name, rows}) => rows.map((row) => {
    const own = thing === "genre" ? [row.year, id, name] : [id, name, row.year];
    return [...own, row.movies, row[measure].known, row[measure].full, row[measure].allocated];
  }));
  if (thing === "genre") rows.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  return {columns, rows};
}

/** CSV; a text that a spreadsheet would run gets a leading apostrophe. */
function csv({columns, rows}) {
  const texts = columns.map((column) => column === "genre" || column === "company");
  const line = (row) => row.map((value, i) => csvCell(texts[i] ? safeText(value) : String(value ?? ""))).join(",");
  return [columns.join(","), ...rows.map(line), ""].join("\n");
}

function safeText(text) {
  return /^[=+\-@\t\r]/.test(text ?? "") ? `'${text}` : text ?? "";
}

function csvCell(text) {
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Dollars in few characters: $1.2B, −$35M, $0. */
function dollars(value) {
  const size = Math.abs(value);
  const [unit, suffix] = size >= 1e12 ? [1e12, "T"] : size >= 1e9 ? [1e9, "B"] : size >= 1e6 ? [1e6, "M"]
    : size >= 1e3 ? [1e3, "K"] : [1, ""];
  const number = size / unit;
  const digits = number && number < 10 && number % 1 ? 1 : 0;
  return `${value < 0 ? "−" : ""}$${number.toFixed(digits)}${suffix}`;
}

/** A number with thousands separated. */
function grouped(value) {
  return Number(value).toLocaleString("en-US");
}

function percent(part, whole) {
  const share = whole ? (100 * part) / whole : 0;
  return share > 0 && share < 1 ? "under 1%" : `${Math.round(share)}%`;
}

const LETTERS = {ø: "o", ł: "l", đ: "d", ð: "d", þ: "th", ß: "ss", æ: "ae", œ: "oe", ı: "i"};

/** Text without case and accents, for finding. */
function folded(text) {
  const plain = text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  return plain.replace(/[øłđðþßæœı]/g, (letter) => LETTERS[letter]);
}

/** The companies, unpacked: [{id, name, movies…}], most releases first. */
async function unpackCompanies() {
  const packed = document.getElementById("packed").textContent;
  const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const {ids, names, rows, genres} = await new Response(stream).json();
  return ids.map((id, i) => ({
    id, name: names[i] ?? "", shown: names[i] || "(no name)", key: folded(names[i] ?? ""), text: rows[i], genres: genres[i],
  }));
}

/** A company with its rows taken apart. */
function opened(company) {
  return {...company, rows: moneyRows(company.text)};
}
