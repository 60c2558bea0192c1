-- The movies behind each company, year and genre: every release of the company, once for each of its genres.
SELECT
  s.year,
  s.company_id,
  c.name AS company,
  g.genre_id,
  g.name AS genre,
  s.movie_id,
  m.title,
  m.source_file,
  m.source_line
FROM company_share AS s
JOIN company AS c ON c.company_id = s.company_id
JOIN movie_genre AS l ON l.movie_id = s.movie_id
JOIN genre AS g ON g.genre_id = l.genre_id
JOIN movie AS m ON m.movie_id = s.movie_id
