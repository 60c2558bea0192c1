-- Revenue by genre and release year, in US dollars as published.
--
-- Sums cover the releases whose revenue is known. movies_with_revenue counts them; movies counts all.
-- If none is known, the amount is NULL: unknown, not zero.
-- revenue_usd gives every genre of a movie full credit, so its rows do not add up to a year's total;
-- revenue_usd_allocated does: each movie's amount divided evenly over its genres, in cents.
SELECT
  s.year,
  g.genre_id,
  g.name AS genre,
  COUNT(*) AS movies,
  COUNT(s.revenue_usd) AS movies_with_revenue,
  CAST(SUM(s.revenue_usd) AS BIGINT) AS revenue_usd,
  CAST(SUM(s.revenue_usd_allocated) AS DECIMAL(20,2)) AS revenue_usd_allocated
FROM genre_share AS s
JOIN genre AS g ON g.genre_id = s.genre_id
GROUP BY g.genre_id, g.name, s.year
ORDER BY year, genre_id
