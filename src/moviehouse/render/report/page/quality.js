// The chart about how much is known.

function startQuality(data) {
  const known = data.known.map(([year, movies, budget, revenue, profit]) => ({year, movies, budget, revenue, profit}));
  if (!known.length) return;
  const years = extent(known.map((d) => d.year));
  const sum = (name) => known.reduce((total, d) => total + d[name], 0);
  figure("known", {
    draw: (width) => knownCharts(width, known, years),
    answer: () => ({
      columns: ["year", "movies", "movies_with_budget", "movies_with_revenue", "movies_with_profit"],
      rows: data.known,
    }),
    summary: () => `Of ${grouped(sum("movies"))} releases, the revenue of ${percent(sum("revenue"), sum("movies"))}, the budget of ${
      percent(sum("budget"), sum("movies"))} and both of ${percent(sum("profit"), sum("movies"))} are known.`,
    file: () => "movies_with_known_money_by_year",
  })();
}
