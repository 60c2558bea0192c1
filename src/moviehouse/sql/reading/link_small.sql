-- The records of links_small.csv, whether or not a movie is known.
SELECT movielens_id, imdb_id, tmdb_id, line
FROM loaded_link_small
