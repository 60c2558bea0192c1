// The section about genres: one large, all small, and the most popular of every year.

const COUNTING_WORDS = {
  full: "Full credit: a movie counts whole for each of its genres, so that the genres do not add up to a year's total.",
  allocated: "Allocated: a movie's amount is divided evenly over its genres, so that the genres add up.",
};

function startGenres(data) {
  const genres = data.genres.map(([id, name, text]) => ({id, name: name || `(genre ${id})`, rows: moneyRows(text)}));
  if (!genres.length) return;
  const all = extent(genres.flatMap((genre) => genre.rows.map((row) => row.year)));
  const select = document.getElementById("genre-choice");
  const from = document.getElementById("year-from");
  const to = document.getElementById("year-to");
  const state = () => ({measure: chosen("genre-measure"), counting: chosen("genre-counting"), years: yearsBetween(from, to, all)});
  const current = () => genres.find((genre) => String(genre.id) === select.value);
  const cut = (genre) => {
    const {measure, counting, years} = state();
    return measured(genre.rows, measure, counting).filter((d) => d.year >= years[0] && d.year <= years[1]);
  };

  [from.min, from.max, to.min, to.max] = [all[0], all[1], all[0], all[1]];
  [from.value, to.value] = usefulYears(genres, all);
  const ranked = genres.toSorted((a, b) => total(measured(b.rows, "revenue", "full")) - total(measured(a.rows, "revenue", "full")));
  select.append(...genres.toSorted((a, b) => a.name.localeCompare(b.name))
    .map((genre) => make("option", {value: genre.id, textContent: genre.name})));
  select.value = ranked[0].id;

  const draws = [
    figure("genre-amount", {
      draw: (width) => amountChart(width, width < 480 ? 220 : 300, cut(current()), {
        years: state().years, what: state().measure, label: `${title(state())} of ${current().name} by release year`}),
      answer: () => moneyAnswer("genre", state().measure, [current()]),
      summary: () => amountSummary(`${current().name}, ${title(state()).toLowerCase()}`, cut(current()), state().measure),
      file: () => `genre_${state().measure}_by_year_${current().id}`,
    }),
    figure("genre-coverage", {
      draw: (width) => coverageChart(width, 120, cut(current()), {
        years: state().years, what: state().measure, label: `Movies of ${current().name} with a known ${state().measure}`}),
      answer: () => coverageAnswer(current(), state().measure),
      summary: () => coverageSummary(current().name, cut(current()), state().measure),
      file: () => `genre_${state().measure}_known_${current().id}`,
    }),
    figure("genre-all", {
      draw: () => smallCharts(genres.map((genre) => ({genre, data: cut(genre)})), state(), current(), choose),
      answer: () => moneyAnswer("genre", state().measure, genres),
      summary: () => `${title(state())}, ${state().years.join("–")}, ${
        chosen("genre-scale") === "shared" ? "all on one scale" : "each on its own scale: compare the shapes, not the heights"}.`,
      file: () => `genre_${state().measure}_by_year`,
    }),
  ];
  const update = () => {
    document.getElementById("counting-note").textContent = COUNTING_WORDS[chosen("genre-counting")];
    draws.forEach((draw) => draw());
  };
  const choose = (genre) => {
    select.value = genre.id;
    update();
    document.querySelector(`#genre-all button[data-id="${genre.id}"]`).focus();
  };
  onChoice(["genre-measure", "genre-counting", "genre-scale"], update);
  for (const input of [select, from, to]) input.addEventListener("change", update);
  update();
  startWinners(data, genres);
}

function title({measure, counting}) {
  return `${MEASURE_NAMES[measure]}${counting === "full" ? ", full credit" : ", allocated"}`;
}

function extent(values) {
  return values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
}

function yearsBetween(from, to, [first, last]) {
  const low = Math.max(first, Math.min(last, +from.value || first));
  const high = Math.max(first, Math.min(last, +to.value || last));
  return [Math.min(low, high), Math.max(low, high)];
}

/** The years in which some amount is known; all years where none is. */
function usefulYears(genres, all) {
  const known = genres.flatMap((genre) => genre.rows.filter((row) => MEASURES.some((m) => row[m].known)).map((row) => row.year));
  return known.length ? extent(known) : all;
}

function total(data) {
  return data.reduce((sum, d) => sum + (d.value ?? 0), 0);
}

function amountSummary(name, data, what) {
  const known = data.filter((d) => d.value !== null);
  if (!data.length) return `${name}: no movies in these years.`;
  if (!known.length) return `${name}: no known ${what} in these years.`;
  const best = known.reduce((a, b) => (b.value > a.value ? b : a));
  const gaps = data.length - known.length;
  return `${name}: ${dollars(total(known))} in all, most in ${best.year} (${dollars(best.value)})${
    gaps ? `; nothing is known of ${gaps} of ${data.length} years with releases` : ""}.`;
}

function coverageSummary(name, data, what) {
  const known = data.reduce((sum, d) => sum + d.known, 0);
  const movies = data.reduce((sum, d) => sum + d.movies, 0);
  return `${name}: the ${what} of ${grouped(known)} of ${grouped(movies)} movies is known (${percent(known, movies)}).`;
}

function coverageAnswer(genre, measure) {
  return {
    columns: ["year", "genre_id", "genre", "movies", `movies_with_${measure}`],
    rows: genre.rows.map((row) => [row.year, genre.id, genre.name, row.movies, row[measure].known]),
  };
}

/** All genres as small charts in buttons, the largest first. */
function smallCharts(groups, {measure, years}, current, choose) {
  const domain = extent([0, ...groups.flatMap(({data}) => data.map((d) => d.value ?? 0))]);
  const width = matchMedia("(max-width: 479px)").matches ? 148 : 196;
  const panels = groups.map((group) => ({...group, sum: total(group.data)})).toSorted((a, b) => b.sum - a.sum);
  return make("div", {className: "panels"}, ...panels.map(({genre, data, sum}) => {
    const known = data.some((d) => d.value !== null);
    const button = make("button", {type: "button", className: "panel"},
      make("span", {className: "panel-name", textContent: genre.name}),
      make("span", {className: "panel-sum", textContent: known ? dollars(sum) : "unknown"}),
      sparkChart(width, 74, data, {years, domain: chosen("genre-scale") === "shared" ? domain : undefined}));
    button.dataset.id = genre.id;
    button.setAttribute("aria-pressed", String(genre === current));
    button.setAttribute("aria-label", `${genre.name}: ${known ? `${dollars(sum)} known ${measure}` : `no known ${measure}`}`);
    button.addEventListener("click", () => choose(genre));
    return button;
  }));
}

function startWinners(data, genres) {
  const names = new Map(genres.map((genre) => [genre.id, genre.name]));
  const rows = cells(data.winners);
  const wins = rows.map(([year, id, movies, sum, mean]) =>
    ({year: +year, id: +id, name: names.get(+id), movies: +movies, total: +sum, mean: +mean}));
  if (!wins.length) return;
  const years = extent(wins.map((win) => win.year));
  const counts = tally(wins, (win) => win.name, () => 1);
  const ranked = counts.map(([name, won]) => ({name, wins: won}));
  figure("winners", {
    draw: (width) => winnersChart(width, wins, ranked, years),
    answer: () => ({
      columns: ["year", "genre_id", "genre", "movies", "popularity_total", "popularity_mean"],
      rows: rows.map(([year, id, ...rest]) => [year, id, names.get(+id), ...rest]),
    }),
    summary: () => `${ranked[0].name} led in ${ranked[0].wins} of ${wins.length} years${
      ranked[1] ? `, ${ranked[1].name} in ${ranked[1].wins}` : ""}. In ${wins.at(-1).year} it was ${wins.at(-1).name}.`,
    file: () => "genre_most_popular_by_year",
  })();
}

/** Sums by key, the largest first: [[key, sum], …]. */
function tally(values, key, count) {
  const sums = new Map();
  for (const value of values) sums.set(key(value), (sums.get(key(value)) ?? 0) + count(value));
  return [...sums].toSorted((a, b) => b[1] - a[1]);
}
