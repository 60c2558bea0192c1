-- The records of movies_metadata.csv that are loaded: the last one of each id.
SELECT r.*
FROM raw_movie AS r
WHERE r.ordinal IN (SELECT MAX(ordinal) FROM raw_movie GROUP BY movie_id)
