-- The records of credits.csv that are loaded: the last one of each known movie.
SELECT r.*
FROM raw_credit AS r
WHERE r.ordinal IN (SELECT MAX(ordinal) FROM raw_credit GROUP BY movie_id)
  AND r.movie_id IN (SELECT movie_id FROM known_movie)
