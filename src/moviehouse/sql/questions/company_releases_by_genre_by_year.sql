-- Number of releases by production company, release year and genre.
--
-- A movie counts once for each of its companies and each of its genres. Movies without a genre are
-- not counted.
SELECT
  c.company_id,
  c.name AS company,
  s.year,
  g.genre_id,
  g.name AS genre,
  COUNT(*) AS releases
FROM company_share AS s
JOIN company AS c ON c.company_id = s.company_id
JOIN movie_genre AS m ON m.movie_id = s.movie_id
JOIN genre AS g ON g.genre_id = m.genre_id
GROUP BY c.company_id, c.name, s.year, g.genre_id, g.name
ORDER BY company_id, year, genre_id
