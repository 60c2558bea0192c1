-- The records of credits.csv that are loaded: the last one of each known movie.
SELECT r.*
FROM raw_credit AS r
JOIN (SELECT movie_id, MAX(ordinal) AS ordinal FROM raw_credit GROUP BY movie_id) AS last
  ON last.movie_id = r.movie_id AND last.ordinal = r.ordinal
JOIN loaded_movie AS m ON m.movie_id = r.movie_id
