-- The records of keywords.csv that are loaded: the last one of each known movie.
SELECT r.*
FROM raw_keyword_list AS r
JOIN (SELECT movie_id, MAX(ordinal) AS ordinal FROM raw_keyword_list GROUP BY movie_id) AS last
  ON last.movie_id = r.movie_id AND last.ordinal = r.ordinal
JOIN loaded_movie AS m ON m.movie_id = r.movie_id
