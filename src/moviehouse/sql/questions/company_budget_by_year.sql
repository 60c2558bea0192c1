-- Budget by production company and release year, in US dollars as published.
--
-- Sums cover the releases whose budget is known. movies_with_budget counts them; movies counts all.
-- If none is known, the amount is NULL: unknown, not zero.
-- budget_usd gives every production company of a movie full credit, so its rows do not add up to a year's total;
-- budget_usd_allocated does: each movie's amount divided evenly over its companies, in cents.
SELECT
  c.company_id,
  c.name AS company,
  s.year,
  COUNT(*) AS movies,
  COUNT(s.budget_usd) AS movies_with_budget,
  CAST(SUM(s.budget_usd) AS BIGINT) AS budget_usd,
  CAST(SUM(s.budget_usd_allocated) AS DECIMAL(20,2)) AS budget_usd_allocated
FROM company_share AS s
JOIN company AS c ON c.company_id = s.company_id
GROUP BY c.company_id, c.name, s.year
ORDER BY company_id, year
