// The charts, drawn with Plot in the page's own colours. Years are a number axis; a bar is a year wide.

const INK = {known: "var(--accent)", loss: "var(--loss)", faint: "var(--faint)", muted: "var(--muted)"};
const AXIS = {tickSize: 0, fontSize: 12, label: null};

function year(value) {
  return String(value);
}

/** Options that all charts share. */
function frame(width, height, years, label, rest) {
  const narrow = width < 480;
  return {
    className: "plot", width, height, label, marginLeft: 52, marginRight: 12, marginTop: 12, marginBottom: 24,
    style: {fontSize: "12px", overflow: "visible"},
    x: {domain: [years[0] - 0.6, years[1] + 0.6], ticks: yearTicks(years, narrow ? 5 : Math.min(10, width / 90))},
    ...rest,
  };
}

/** A chart that a screen reader takes as one picture with a name; the table beside it has the data. */
function picture(options) {
  const image = make("div", {}, silent(options));
  image.setAttribute("role", "img");
  image.setAttribute("aria-label", options.label);
  return image;
}

/** A chart that a screen reader passes over. */
function silent(options) {
  const image = Plot.plot(options);
  image.setAttribute("aria-hidden", "true");
  return image;
}

function yearTicks([from, to], count) {
  const step = [1, 2, 5, 10, 20, 25, 50].find((size) => (to - from) / size <= count) ?? 100;
  const ticks = [];
  for (let tick = Math.ceil(from / step) * step; tick <= to; tick += step) ticks.push(tick);
  return ticks;
}

const span = {x1: (d) => d.year - 0.4, x2: (d) => d.year + 0.4};

/** Bars of known amounts, a ring where movies were released and no amount is known. */
function amountMarks(data, {dots = 2, fill = INK.known} = {}) {
  const known = data.filter((d) => d.value !== null);
  return [
    Plot.rectY(known, {...span, y: "value", fill: (d) => (d.value < 0 ? INK.loss : fill), className: "known"}),
    Plot.ruleY([0], {stroke: INK.muted, strokeWidth: 0.75}),
    Plot.dot(data.filter((d) => d.value === null), {
      x: "year", y: 0, r: dots, stroke: INK.muted, strokeWidth: 1, fill: "var(--surface)", className: "gap",
    }),
  ];
}

/** Amounts per year. `domain` makes charts comparable. */
function amountChart(width, height, data, {years, domain, label, what, fill}) {
  return picture(frame(width, height, years, label, {
    y: {domain, nice: true},
    marks: [
      Plot.gridY({stroke: INK.faint, strokeOpacity: 1, ticks: 5}),
      Plot.axisY({...AXIS, ticks: 5, tickFormat: dollars}),
      Plot.axisX({...AXIS, tickFormat: year}),
      ...amountMarks(data, {fill}),
      tip(data, (d) => amountWords(d, what), (d) => d.value ?? 0),
    ],
  }));
}

function amountWords(d, what) {
  const amount = d.value === null ? `no known ${what}` : `${dollars(d.value)} ${what}`;
  return `${d.year}: ${amount}\nknown for ${grouped(d.known)} of ${grouped(d.movies)} movies`;
}

function tip(data, title, y) {
  return Plot.tip(data, Plot.pointerX({
    x: "year", y, title, fill: "var(--surface)", stroke: "var(--line)", fontSize: 12.5, lineHeight: 1.35,
  }));
}

/** How many movies are behind the amounts: with a known one, and without. */
function coverageChart(width, height, data, {years, label, what}) {
  return picture(frame(width, height, years, label, {
    y: {nice: true},
    marks: [
      Plot.gridY({stroke: INK.faint, strokeOpacity: 1, ticks: 3}),
      Plot.axisY({...AXIS, ticks: 3, tickFormat: grouped}),
      Plot.axisX({...AXIS, tickFormat: year}),
      Plot.rectY(data, {...span, y1: "known", y2: "movies", fill: "var(--unknown)"}),
      Plot.rectY(data, {...span, y1: 0, y2: "known", fill: INK.known}),
      Plot.ruleY([0], {stroke: INK.muted, strokeWidth: 0.75}),
      tip(data, (d) => `${d.year}: ${what} known for ${grouped(d.known)}\nof ${grouped(d.movies)} movies `
        + `(${percent(d.known, d.movies)})`, "movies"),
    ],
  }));
}

/** One small chart of many. */
function sparkChart(width, height, data, {years, domain}) {
  return silent(frame(width, height, years, null, {
    marginLeft: 2, marginRight: 2, marginTop: 6, marginBottom: 16, y: {domain, axis: null},
    x: {domain: [years[0] - 0.6, years[1] + 0.6], axis: null},
    marks: [
      ...amountMarks(data, {dots: 1.2}),
      ...["start", "end"].map((textAnchor, i) => Plot.text([years[i]], {x: (d) => d, frameAnchor: "bottom", dy: 14,
        text: year, fill: INK.muted, fontSize: 11, textAnchor})),
    ],
  }));
}

/** The winner of every year: a row for each genre that ever won, a bar in the years it did. */
function winnersChart(width, wins, genres, years) {
  const narrow = width < 480;
  const left = narrow ? 102 : 120;
  const most = Math.max(...wins.map((d) => d.total));
  const rows = new Map(genres.map((genre, i) => [genre.name, genres.length - 1 - i]));
  const bars = wins.map((d) => ({...d, y: rows.get(d.name), top: rows.get(d.name) + Math.max(0.06, 0.85 * (d.total / most))}));
  const lines = genres.map((genre) => ({...genre, y: rows.get(genre.name)}));
  return picture(frame(width, 40 + genres.length * 38, years, "The most popular genre of every year", {
    marginLeft: left, marginRight: narrow ? 40 : 64, y: {domain: [0, genres.length], axis: null},
    marks: [
      Plot.ruleY(lines, {y: "y", stroke: INK.faint}),
      Plot.text(lines, {y: "y", frameAnchor: "left", dx: 8 - left, dy: -8, textAnchor: "start", text: "name", fontSize: 12.5}),
      Plot.axisX({...AXIS, tickFormat: year}),
      Plot.rectY(bars, {...span, y1: "y", y2: "top", fill: INK.known}),
      Plot.text(lines, {y: "y", frameAnchor: "right", dx: narrow ? 38 : 62, dy: -8, textAnchor: "end", fill: INK.muted,
        text: (d) => (narrow ? `${d.wins} y` : `${d.wins} year${d.wins === 1 ? "" : "s"}`)}),
      tip(bars, (d) => `${d.year}: ${d.name}\npopularity ${d.total.toFixed(1)} in all, ${d.mean.toFixed(2)} on average\n`
        + `${grouped(d.movies)} movies`, "top"),
    ],
  }));
}

/** Releases by genre and year; the number at the end of a row is its total. */
function genresChart(width, releases, names, {years, most, label}) {
  const narrow = width < 480;
  const totals = names.map((name) => ({
    name, total: releases.filter((d) => d.name === name).reduce((sum, d) => sum + d.count, 0),
  }));
  return picture(frame(width, 36 + names.length * 20, years, label, {
    marginLeft: narrow ? 102 : 112, marginRight: 40, y: {type: "band", domain: names, label: null, padding: 0.15},
    marks: [
      Plot.ruleY(names, {y: (d) => d, stroke: INK.faint}),
      Plot.axisY({...AXIS}),
      Plot.axisX({...AXIS, tickFormat: year}),
      Plot.rect(releases, {...span, y: "name", fill: INK.known, fillOpacity: (d) => 0.3 + 0.7 * Math.sqrt(d.count / most)}),
      Plot.text(totals, {y: "name", frameAnchor: "right", dx: 36, textAnchor: "end", fill: INK.muted,
        text: (d) => (d.total ? grouped(d.total) : "–")}),
      Plot.tip(releases, Plot.pointer({x: "year", y: "name", fill: "var(--surface)", stroke: "var(--line)",
        fontSize: 12.5, title: (d) => `${d.year}: ${d.name}\n${grouped(d.count)} release${d.count === 1 ? "" : "s"}`})),
    ],
  }));
}

function popularityChart(width, data, {years, domain, label}) {
  return picture(frame(width, 170, years, label, {
    y: {domain, nice: true},
    marks: [
      Plot.gridY({stroke: INK.faint, strokeOpacity: 1, ticks: 4}),
      Plot.axisY({...AXIS, ticks: 4}),
      Plot.axisX({...AXIS, tickFormat: year}),
      Plot.ruleX(data, {x: "year", y1: 0, y2: "value", stroke: INK.known, strokeOpacity: 0.35}),
      Plot.dot(data, {x: "year", y: "value", r: 3, fill: INK.known}),
      Plot.ruleY([0], {stroke: INK.muted, strokeWidth: 0.75}),
      tip(data, (d) => `${d.year}: ${d.value.toFixed(2)} on average\n${grouped(d.movies)} movies`, "value"),
    ],
  }));
}

/** Shares of movies whose money is known, and how many movies there are. */
function knownCharts(width, known, years) {
  const byYear = new Map(known.map((d) => [d.year, d]));
  const dense = Array.from({length: years[1] - years[0] + 1}, (_, i) => byYear.get(years[0] + i) ?? {year: years[0] + i});
  const share = (measure) => dense.map((d) => ({year: d.year, value: d.movies ? d[measure] / d.movies : NaN}));
  const alone = (points) => points.filter((d, i) => !(points[i - 1]?.value >= 0) && !(points[i + 1]?.value >= 0));
  const lines = {revenue: [], budget: [6, 3], profit: [2, 3]};
  const words = (d) => `${d.year}: ${grouped(d.movies)} movies\n${MEASURES.map((measure) =>
    `${measure === "profit" ? "both" : measure} known for ${percent(d[measure], d.movies)}`).join("\n")}`;
  return [
    picture(frame(width, 260, years, "Share of movies with known money by release year", {
      y: {domain: [0, 1]},
      marks: [
        Plot.gridY({stroke: INK.faint, strokeOpacity: 1, ticks: 5}),
        Plot.axisY({...AXIS, ticks: 5, tickFormat: (d) => `${Math.round(100 * d)}%`}),
        Plot.axisX({...AXIS, tickFormat: year}),
        ...MEASURES.flatMap((measure) => [
          Plot.lineY(share(measure), {x: "year", y: "value", stroke: `var(--${measure})`, strokeWidth: 1.75,
            strokeDasharray: lines[measure].join(" ")}),
          Plot.dot(alone(share(measure)), {x: "year", y: "value", fill: `var(--${measure})`, r: 1.75}),
        ]),
        tip(known, words, (d) => d.revenue / (d.movies || 1)),
      ],
    })),
    make("p", {className: "note", textContent: "Movies released per year, for weight:"}),
    picture(frame(width, 90, years, "Movies released per year", {
      y: {nice: true},
      marks: [
        Plot.axisY({...AXIS, ticks: 2, tickFormat: grouped}),
        Plot.axisX({...AXIS, tickFormat: year}),
        Plot.rectY(known, {...span, y: "movies", fill: "var(--unknown)"}),
        Plot.ruleY([0], {stroke: INK.muted, strokeWidth: 0.75}),
      ],
    })),
  ];
}
