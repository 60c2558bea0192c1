-- The records of movies_metadata.csv that are loaded: the last one of each id.
SELECT r.*
FROM raw_movie AS r
JOIN (SELECT movie_id, MAX(ordinal) AS ordinal FROM raw_movie GROUP BY movie_id) AS last
  ON last.movie_id = r.movie_id AND last.ordinal = r.ordinal
