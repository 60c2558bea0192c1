-- Every movie with a genre that is not one of TMDB's twenty has a line in the error log.
SELECT m.movie_id, m.genre_id
FROM movie_genre AS m
WHERE m.genre_id NOT IN (
  12, 14, 16, 18, 27, 28, 35, 36, 37, 53, 80, 99, 878, 9648, 10402, 10749, 10751, 10752, 10769, 10770
)
AND NOT EXISTS (
  SELECT 1 FROM error_log AS e WHERE e.reason = 'unknown_genre' AND e.movie_id = m.movie_id
)
