// The section about companies: find one, or two and see them side by side.

const LISTED = 12;

/** Companies with every word of the query in their name: the whole name first, then where each begins a word. */
function findCompanies(companies, query) {
  const asked = folded(query).trim();
  const words = asked.split(/\s+/);
  const ranks = [[], [], []];
  for (const company of companies) {
    const {key} = company;
    if (!words.every((word) => key.includes(word))) continue;
    ranks[key === asked ? 0 : words.every((word) => ` ${key}`.includes(` ${word}`)) ? 1 : 2].push(company);
  }
  return ranks.flat();
}

/** An input that finds a company (the ARIA combobox with a list). `choose(company)`; null when it is cleared. */
function combobox(id, companies, choose) {
  const input = document.getElementById(id);
  const list = document.getElementById(`${id}-list`);
  const status = document.getElementById(`${id}-status`);
  const clear = document.getElementById(`${id}-clear`);
  let found = [];
  let active = -1;
  let picked = null;

  const close = () => {
    list.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const pick = (company) => {
    picked = company;
    input.value = company ? company.shown : "";
    clear.hidden = !company || id === "company-a";
    status.textContent = "";
    close();
    choose(company);
  };
  const search = () => {
    const matches = input.value.trim() ? findCompanies(companies, input.value) : [];
    found = matches.slice(0, LISTED);
    active = -1;
    list.replaceChildren(...found.map((company, i) => option(id, company, i)));
    list.hidden = !found.length;
    input.setAttribute("aria-expanded", String(found.length > 0));
    input.removeAttribute("aria-activedescendant");
    status.textContent = !input.value.trim() ? "" : !matches.length ? "No company here has that in its name."
      : `${grouped(matches.length)} ${matches.length === 1 ? "company" : "companies"}${
        matches.length > LISTED ? `, ${LISTED} of them listed` : ""}.`;
  };
  const move = (step) => {
    if (list.hidden) search();
    if (!found.length) return;
    active = active < 0 && step < 0 ? found.length - 1 : (active + step + found.length) % found.length;
    [...list.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === active)));
    list.children[active].scrollIntoView({block: "nearest"});
    input.setAttribute("aria-activedescendant", list.children[active].id);
  };
  const keys = {
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    Enter: () => found.length && !list.hidden && pick(found[Math.max(active, 0)]),
    Escape: () => {
      input.value = picked ? picked.shown : "";
      status.textContent = "";
      close();
    },
  };
  input.addEventListener("input", search);
  input.addEventListener("focus", () => input.select());
  input.addEventListener("blur", () => keys.Escape());
  input.addEventListener("keydown", (event) => {
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
  list.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    const item = event.target.closest("[role=option]");
    if (item) pick(found[+item.dataset.place]);
  });
  clear.addEventListener("click", () => {
    pick(null);
    input.focus();
  });
  return pick;
}

function option(id, company, place) {
  const years = company.text.split(";").map((row) => row.slice(0, row.indexOf(",")));
  const movies = cells(company.text).reduce((sum, row) => sum + +row[1], 0);
  const item = make("li", {id: `${id}-option-${place}`},
    make("bdi", {textContent: company.shown}),
    make("small", {textContent: `${grouped(movies)} movie${movies === 1 ? "" : "s"}, ${
      years[0] === years.at(-1) ? years[0] : `${years[0]}–${years.at(-1)}`}`}));
  item.setAttribute("role", "option");
  item.setAttribute("aria-selected", "false");
  item.dataset.place = place;
  return item;
}

async function startCompanies(data) {
  const inputs = ["company-a", "company-b"].map((id) => document.getElementById(id));
  let companies;
  try {
    companies = await unpackCompanies();
  } catch (error) {
    document.getElementById("company-note").textContent = `This browser cannot unpack the companies: ${error.message}`;
    return;
  }
  if (!companies.length) return;
  const shown = [null, null];
  const two = () => shown.filter(Boolean);
  const years = () => extent(two().flatMap((company) => company.rows.map((row) => row.year)));
  const counting = () => chosen("company-counting");
  const genreNames = data.genres.map(([id, name]) => name || `(genre ${id})`);
  const draws = [
    ...MEASURES.map((measure) => moneyFigure(measure, two, years, counting)),
    genresFigure(two, years, data.genres, genreNames),
    popularityFigure(two, years),
  ];
  const update = () => {
    const heads = document.getElementById("company-heads");
    heads.replaceChildren(...two().map((company, i) => companyHead(company, counting(), i)));
    document.getElementById("companies").classList.toggle("two", two().length === 2);
    document.getElementById("company-note").textContent = COUNTING_WORDS[counting()].replaceAll("genres", "companies");
    draws.forEach((draw) => draw());
  };
  const picks = inputs.map((input, i) => combobox(input.id, companies, (company) => {
    shown[i] = company && opened(company);
    update();
  }));
  onChoice(["company-counting"], update);
  picks[0](companies[0]);
  document.documentElement.dataset.ready = "companies";
}

function companyHead(company, counting, place) {
  const movies = company.rows.reduce((sum, row) => sum + row.movies, 0);
  const facts = MEASURES.map((measure) => {
    const data = measured(company.rows, measure, counting);
    const known = data.reduce((sum, d) => sum + d.known, 0);
    return make("div", {}, make("dt", {textContent: MEASURE_NAMES[measure]}),
      make("dd", {}, known ? dollars(total(data)) : "unknown",
        make("small", {textContent: ` known for ${grouped(known)} of ${grouped(movies)}`})));
  });
  const [first, last] = extent(company.rows.map((row) => row.year));
  return make("div", {className: `company-head c${place}`},
    make("h3", {}, make("bdi", {textContent: company.shown})),
    make("p", {textContent: `${grouped(movies)} movie${movies === 1 ? "" : "s"}, ${first === last ? first : `${first}–${last}`} · TMDB id ${company.id}`}),
    make("dl", {}, ...facts));
}

/** The same chart for each company, with its name above; half as wide when there are two and room. */
function sideBySide(width, companies, draw) {
  const beside = companies.length === 2 && width >= 700;
  const each = beside ? (width - 24) / 2 : width;
  return make("div", {className: beside ? "beside" : "below"}, ...companies.map((company, i) =>
    make("div", {className: `c${i}`}, ...(companies.length === 2 ? [make("p", {className: "of"}, make("bdi", {textContent: company.shown}))] : []),
      draw(each, company))));
}

function moneyFigure(measure, two, years, counting) {
  const data = (company) => measured(company.rows, measure, counting());
  return figure(`company-${measure}`, {
    draw: (width) => {
      const domain = extent([0, ...two().flatMap((company) => data(company).map((d) => d.value ?? 0))]);
      return sideBySide(width, two(), (each, company) => amountChart(each, 190, data(company), {
        years: years(), domain: domain[0] === domain[1] ? [0, 1] : domain, what: measure,
        label: `${MEASURE_NAMES[measure]} of ${company.shown} by release year`}));
    },
    answer: () => inOrder(moneyAnswer("company", measure, two())),
    summary: () => two().map((company) => amountSummary(company.shown, data(company), measure)).join(" "),
    file: () => `company_${measure}_by_year_${two().map((company) => company.id).join("_")}`,
  });
}

/** Rows in the answers' order: by company, then year. */
function inOrder({columns, rows}) {
  return {columns, rows: rows.toSorted((a, b) => a[0] - b[0])};
}

function genresFigure(two, years, genres, genreNames) {
  const releases = (company) => cells(company.genres).map(([year, place, count]) =>
    ({year: +year, place: +place, name: genreNames[+place], count: +count}));
  const byGenre = (values) => tally(values, (d) => d.name, (d) => d.count);
  const used = () => byGenre(two().flatMap(releases)).map(([name]) => name);
  return figure("company-genres", {
    draw: (width) => {
      const most = Math.max(1, ...two().flatMap((company) => releases(company).map((d) => d.count)));
      return sideBySide(width, two(), (each, company) => genresChart(each, releases(company), used(), {
        years: years(), most, label: `Releases of ${company.shown} by genre and year`}));
    },
    answer: () => inOrder({
      columns: ["company_id", "company", "year", "genre_id", "genre", "releases"],
      rows: two().flatMap((company) => releases(company).map((d) =>
        [company.id, company.name, d.year, genres[d.place][0], genres[d.place][1], d.count])),
    }),
    summary: () => two().map((company) => {
      const top = byGenre(releases(company)).slice(0, 3);
      return `${company.shown}: ${top.length ? `mostly ${top.map(([name, count]) => `${name} (${grouped(count)})`).join(", ")}`
        : "no genre known"}.`;
    }).join(" "),
    file: () => `company_releases_by_genre_by_year_${two().map((company) => company.id).join("_")}`,
  });
}

function popularityFigure(two, years) {
  const data = (company) => company.rows.filter((row) => row.popularity !== "")
    .map((row) => ({year: row.year, movies: row.movies, value: +row.popularity}));
  return figure("company-popularity", {
    draw: (width) => {
      const domain = [0, Math.max(1e-9, ...two().flatMap((company) => data(company).map((d) => d.value)))];
      return sideBySide(width, two(), (each, company) => popularityChart(each, data(company), {
        years: years(), domain, label: `Average popularity of ${company.shown} by release year`}));
    },
    answer: () => inOrder({
      columns: ["company_id", "company", "year", "movies", "popularity_mean"],
      rows: two().flatMap((company) => company.rows.map((row) => [company.id, company.name, row.year, row.movies, row.popularity])),
    }),
    summary: () => two().map((company) => {
      const points = data(company);
      if (!points.length) return `${company.shown}: no popularity known.`;
      const best = points.reduce((a, b) => (b.value > a.value ? b : a));
      return `${company.shown}: highest in ${best.year} (${best.value.toFixed(1)}).`;
    }).join(" "),
    file: () => `company_popularity_by_year_${two().map((company) => company.id).join("_")}`,
  });
}
