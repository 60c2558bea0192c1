-- The movies behind each genre and year: for every release of the genre, what it adds to the genre's cells.
-- shared_by is the number of genres that the allocated amounts are divided among.
SELECT
  s.year,
  s.genre_id,
  t.name AS genre,
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
FROM genre_share AS s
JOIN genre AS t ON t.genre_id = s.genre_id
JOIN movie AS m ON m.movie_id = s.movie_id
JOIN (SELECT movie_id, COUNT(*) AS shared_by FROM movie_genre GROUP BY movie_id) AS n ON n.movie_id = s.movie_id
