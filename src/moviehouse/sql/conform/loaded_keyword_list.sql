-- The records of keywords.csv that are loaded: the last one of each known movie.
SELECT r.*
FROM raw_keyword_list AS r
WHERE r.ordinal IN (SELECT MAX(ordinal) FROM raw_keyword_list GROUP BY movie_id)
  AND r.movie_id IN (SELECT movie_id FROM known_movie)
