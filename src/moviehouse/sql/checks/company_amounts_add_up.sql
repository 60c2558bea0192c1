-- Allocated amounts over all companies plus those of releases without any, equal the releases' total, to the cent.
WITH attributed AS (
  SELECT
    year,
    SUM(budget_usd_allocated) AS budget_usd,
    SUM(revenue_usd_allocated) AS revenue_usd,
    SUM(profit_usd_allocated) AS profit_usd
  FROM company_share
  GROUP BY year
),
total AS (
  SELECT year, SUM(budget_usd) AS budget_usd, SUM(revenue_usd) AS revenue_usd, SUM(profit_usd) AS profit_usd
  FROM release
  GROUP BY year
)
SELECT t.*
FROM total AS t
LEFT JOIN attributed AS a ON a.year = t.year
LEFT JOIN unattributed_by_year AS u ON u.year = t.year AND u.dimension = 'company'
WHERE COALESCE(t.budget_usd, 0) <> COALESCE(a.budget_usd, 0) + COALESCE(u.budget_usd, 0)
  OR COALESCE(t.revenue_usd, 0) <> COALESCE(a.revenue_usd, 0) + COALESCE(u.revenue_usd, 0)
  OR COALESCE(t.profit_usd, 0) <> COALESCE(a.profit_usd, 0) + COALESCE(u.profit_usd, 0)
