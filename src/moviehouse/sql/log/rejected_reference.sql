-- Rejected: credits and keywords of movies that are not in movies_metadata.csv.
SELECT 'credits.csv' AS file, r.ordinal, r.line, r.byte_offset, r.byte_length, r.movie_id
FROM raw_credit AS r
LEFT JOIN known_movie AS m ON m.movie_id = r.movie_id
WHERE m.movie_id IS NULL
UNION ALL
SELECT 'keywords.csv' AS file, r.ordinal, r.line, r.byte_offset, r.byte_length, r.movie_id
FROM raw_keyword_list AS r
LEFT JOIN known_movie AS m ON m.movie_id = r.movie_id
WHERE m.movie_id IS NULL
