-- Profit by genre and release year, in US dollars as published.
--
-- Sums cover the releases whose budget and revenue are both known. movies_with_profit counts them; movies counts all.
-- If none is known, the amount is NULL: unknown, not zero.
-- Profit is revenue minus budget, movie by movie, never the difference of two sums over different movies.
-- profit_usd gives every genre of a movie full credit, so its rows do not add up to a year's total;
-- profit_usd_allocated does: allocated revenue minus allocated budget.
SELECT
  s.year,
  g.genre_id,
  g.name AS genre,
  COUNT(*) AS movies,
  COUNT(s.profit_usd) AS movies_with_profit,
  CAST(SUM(s.profit_usd) AS BIGINT) AS profit_usd,
  CAST(SUM(s.profit_usd_allocated) AS DECIMAL(20,2)) AS profit_usd_allocated
FROM genre_share AS s
JOIN genre AS g ON g.genre_id = s.genre_id
GROUP BY g.genre_id, g.name, s.year
ORDER BY year, genre_id
