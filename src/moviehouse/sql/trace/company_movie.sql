-- The movies behind each company and year: for every release of the company, what it adds to the company's cells.
-- shared_by is the number of companies that the allocated amounts are divided among.
SELECT
  s.year,
  s.company_id,
  t.name AS company,
  s.movie_id,
  m.title,
  s.budget_usd,
  s.budget_usd_allocated,
  s.revenue_usd,
  s.revenue_usd_allocated,
  s.profit_usd,
  s.profit_usd_allocated,
  s.popularity,
  n.shared_by,
  m.source_file,
  m.source_line
FROM company_share AS s
JOIN company AS t ON t.company_id = s.company_id
JOIN movie AS m ON m.movie_id = s.movie_id
JOIN (SELECT movie_id, COUNT(*) AS shared_by FROM movie_company GROUP BY movie_id) AS n ON n.movie_id = s.movie_id
