-- Revenue by production company and release year, in US dollars as published.
--
-- Sums cover the releases whose revenue is known. movies_with_revenue counts them; movies counts all.
-- If none is known, the amount is NULL: unknown, not zero.
-- revenue_usd gives every production company of a movie full credit, so its rows do not add up to a year's total;
-- revenue_usd_allocated does: each movie's amount divided evenly over its companies, in cents.
SELECT
  c.company_id,
  c.name AS company,
  s.year,
  COUNT(*) AS movies,
  COUNT(s.revenue_usd) AS movies_with_revenue,
  CAST(SUM(s.revenue_usd) AS BIGINT) AS revenue_usd,
  CAST(SUM(s.revenue_usd_allocated) AS DECIMAL(20,2)) AS revenue_usd_allocated
FROM company_share AS s
JOIN company AS c ON c.company_id = s.company_id
GROUP BY c.company_id, c.name, s.year
ORDER BY company_id, year
