-- Profit by production company and release year, in US dollars as published.
--
-- Sums cover the releases whose budget and revenue are both known. movies_with_profit counts them; movies counts all.
-- If none is known, the amount is NULL: unknown, not zero.
-- Profit is revenue minus budget, movie by movie, never the difference of two sums over different movies.
-- profit_usd gives every production company of a movie full credit, so its rows do not add up to a year's total;
-- profit_usd_allocated does: allocated revenue minus allocated budget.
SELECT
  c.company_id,
  c.name AS company,
  s.year,
  COUNT(*) AS movies,
  COUNT(s.profit_usd) AS movies_with_profit,
  CAST(SUM(s.profit_usd) AS BIGINT) AS profit_usd,
  CAST(SUM(s.profit_usd_allocated) AS DECIMAL(20,2)) AS profit_usd_allocated
FROM company_share AS s
JOIN company AS c ON c.company_id = s.company_id
GROUP BY c.company_id, c.name, s.year
ORDER BY company_id, year
