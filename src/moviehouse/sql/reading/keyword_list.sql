-- The movies that keywords.csv lists the keywords of, be it none.
SELECT movie_id, line AS source_line
FROM loaded_keyword_list
