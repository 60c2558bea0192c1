-- The records of links.csv, whether or not a movie is known.
SELECT movielens_id, imdb_id, tmdb_id, line
FROM loaded_link
