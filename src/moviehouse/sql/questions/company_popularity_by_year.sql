-- Average popularity of a production company's releases by year.
--
-- Popularity is TMDB's score when the source was published, not in that year. The mean covers the
-- releases whose popularity is known; movies counts all.
SELECT
  c.company_id,
  c.name AS company,
  s.year,
  COUNT(*) AS movies,
  CAST(SUM(s.popularity) AS DOUBLE) / COUNT(s.popularity) AS popularity_mean
FROM company_share AS s
JOIN company AS c ON c.company_id = s.company_id
GROUP BY c.company_id, c.name, s.year
ORDER BY company_id, year
