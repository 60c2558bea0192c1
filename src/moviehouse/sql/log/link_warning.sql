-- Warnings: links to movies that are not there, and links files that disagree.
SELECT 'links.csv' AS file, l.line, 'tmdbId' AS "column", 'unlinked_movie' AS reason,
  l.tmdb_id AS movie_id, CAST(l.tmdb_id AS VARCHAR) AS value,
  'movies_metadata.csv has no movie ' || CAST(l.tmdb_id AS VARCHAR) || '.' AS message
FROM loaded_link AS l
LEFT JOIN known_movie AS m ON m.movie_id = l.tmdb_id
WHERE l.tmdb_id IS NOT NULL AND m.movie_id IS NULL
UNION ALL
SELECT 'links_small.csv' AS file, s.line, 'tmdbId' AS "column", 'unlinked_movie' AS reason,
  s.tmdb_id AS movie_id, CAST(s.tmdb_id AS VARCHAR) AS value,
  'movies_metadata.csv has no movie ' || CAST(s.tmdb_id AS VARCHAR) || '.' AS message
FROM loaded_link_small AS s
LEFT JOIN loaded_link AS l ON l.movielens_id = s.movielens_id
LEFT JOIN known_movie AS m ON m.movie_id = s.tmdb_id
WHERE l.movielens_id IS NULL AND s.tmdb_id IS NOT NULL AND m.movie_id IS NULL
UNION ALL
SELECT 'links_small.csv' AS file, s.line,
  CASE WHEN s.tmdb_id IS DISTINCT FROM l.tmdb_id THEN 'tmdbId' ELSE 'imdbId' END AS "column",
  'links_disagree' AS reason, CAST(NULL AS BIGINT) AS movie_id,
  COALESCE(s.imdb_id, '') || ',' || COALESCE(CAST(s.tmdb_id AS VARCHAR), '') AS value,
  'links.csv has ' || COALESCE(l.imdb_id, 'no imdbId') || ' and '
    || COALESCE(CAST(l.tmdb_id AS VARCHAR), 'no tmdbId') || ' on line ' || CAST(l.line AS VARCHAR) || '.' AS message
FROM loaded_link_small AS s
JOIN loaded_link AS l ON l.movielens_id = s.movielens_id
WHERE s.tmdb_id IS DISTINCT FROM l.tmdb_id OR s.imdb_id IS DISTINCT FROM l.imdb_id
