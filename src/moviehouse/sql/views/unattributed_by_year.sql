-- What the answers by genre and by company leave out: releases without any genre or any company.
SELECT
  r.year,
  'genre' AS dimension,
  COUNT(*) AS movies,
  CAST(SUM(r.budget_usd) AS BIGINT) AS budget_usd,
  CAST(SUM(r.revenue_usd) AS BIGINT) AS revenue_usd,
  CAST(SUM(r.profit_usd) AS BIGINT) AS profit_usd
FROM release AS r
WHERE NOT EXISTS (SELECT 1 FROM movie_genre AS g WHERE g.movie_id = r.movie_id)
GROUP BY r.year
UNION ALL
SELECT
  r.year,
  'company' AS dimension,
  COUNT(*) AS movies,
  CAST(SUM(r.budget_usd) AS BIGINT) AS budget_usd,
  CAST(SUM(r.revenue_usd) AS BIGINT) AS revenue_usd,
  CAST(SUM(r.profit_usd) AS BIGINT) AS profit_usd
FROM release AS r
WHERE NOT EXISTS (SELECT 1 FROM movie_company AS c WHERE c.movie_id = r.movie_id)
GROUP BY r.year
ORDER BY year, dimension
