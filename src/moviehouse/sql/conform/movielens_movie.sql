-- MovieLens's movies: those of links.csv, of links_small.csv, and those that only ratings name.
-- Where the two links files disagree, links.csv counts. An IMDb id is tt and at least seven digits.
WITH id AS (
  SELECT movielens_id FROM loaded_link
  UNION
  SELECT movielens_id FROM loaded_link_small
  UNION
  SELECT movielens_id FROM rated_movie
),
linked AS (
  SELECT
    id.movielens_id,
    CASE WHEN l.movielens_id IS NOT NULL THEN l.imdb_id ELSE s.imdb_id END AS imdb_number,
    CASE WHEN l.movielens_id IS NOT NULL THEN l.tmdb_id ELSE s.tmdb_id END AS tmdb_id,
    s.movielens_id IS NOT NULL AS in_links_small,
    l.line AS links_line,
    s.line AS links_small_line
  FROM id
  LEFT JOIN loaded_link AS l ON l.movielens_id = id.movielens_id
  LEFT JOIN loaded_link_small AS s ON s.movielens_id = id.movielens_id
)
SELECT
  k.movielens_id,
  'tt' || CASE
    WHEN LENGTH(k.imdb_number) < 7 THEN LPAD(k.imdb_number, 7, '0')
    ELSE k.imdb_number
  END AS imdb_id,
  k.tmdb_id,
  m.movie_id,
  k.in_links_small,
  k.links_line,
  k.links_small_line
FROM linked AS k
LEFT JOIN known_movie AS m ON m.movie_id = k.tmdb_id
ORDER BY k.movielens_id
