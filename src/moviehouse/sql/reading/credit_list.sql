-- The movies that credits.csv lists the cast and crew of, be it nobody.
SELECT movie_id, line AS source_line
FROM loaded_credit
