-- The error log by movie: the lines that name the movie, and those on the links and ratings of its MovieLens ids,
-- which name only those. The movie is the one that links give, loaded or not.
SELECT e.movie_id AS about, e.severity, e.reason, e.file, e.line, e."column", e.value, e.message, e.action
FROM error_log AS e
WHERE e.movie_id IS NOT NULL
UNION ALL
SELECT l.tmdb_id AS about, e.severity, e.reason, e.file, e.line, e."column", e.value, e.message, e.action
FROM error_log AS e
JOIN movielens_movie AS l ON l.links_line = e.line
WHERE e.movie_id IS NULL AND e.file = 'links.csv' AND l.tmdb_id IS NOT NULL
UNION ALL
SELECT l.tmdb_id AS about, e.severity, e.reason, e.file, e.line, e."column", e.value, e.message, e.action
FROM error_log AS e
JOIN movielens_movie AS l ON l.links_small_line = e.line
WHERE e.movie_id IS NULL AND e.file = 'links_small.csv' AND l.tmdb_id IS NOT NULL
UNION ALL
SELECT l.tmdb_id AS about, e.severity, e.reason, e.file, e.line, e."column", e.value, e.message, e.action
FROM error_log AS e
JOIN movielens_movie AS l ON CAST(l.movielens_id AS VARCHAR) = e.value
WHERE e.reason = 'duplicate_record' AND e.file IN ('links.csv', 'links_small.csv') AND l.tmdb_id IS NOT NULL
UNION ALL
SELECT l.tmdb_id AS about, e.severity, e.reason, e.file, e.line, e."column", e.value, e.message, e.action
FROM error_log AS e
JOIN movielens_movie AS l ON CAST(l.movielens_id AS VARCHAR) = SPLIT_PART(e.value, ',', 2)
WHERE e.reason = 'duplicate_record' AND e.file IN ('ratings.csv', 'ratings_small.csv') AND l.tmdb_id IS NOT NULL
