-- Budget by genre and release year, in US dollars as published.
--
-- Sums cover the releases whose budget is known. movies_with_budget counts them; movies counts all.
-- If none is known, the amount is NULL: unknown, not zero.
-- budget_usd gives every genre of a movie full credit, so its rows do not add up to a year's total;
-- budget_usd_allocated does: each movie's amount divided evenly over its genres, in cents.
SELECT
  s.year,
  g.genre_id,
  g.name AS genre,
  COUNT(*) AS movies,
  COUNT(s.budget_usd) AS movies_with_budget,
  CAST(SUM(s.budget_usd) AS BIGINT) AS budget_usd,
  CAST(SUM(s.budget_usd_allocated) AS DECIMAL(20,2)) AS budget_usd_allocated
FROM genre_share AS s
JOIN genre AS g ON g.genre_id = s.genre_id
GROUP BY g.genre_id, g.name, s.year
ORDER BY year, genre_id
