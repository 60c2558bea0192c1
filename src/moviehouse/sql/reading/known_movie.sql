-- The movies that a drop refers to: all that it mentions, since those it lacks may come with another drop.
SELECT movie_id FROM raw_movie
UNION
SELECT movie_id FROM raw_credit
UNION
SELECT movie_id FROM raw_keyword_list
UNION
SELECT tmdb_id AS movie_id FROM raw_link WHERE tmdb_id IS NOT NULL
UNION
SELECT tmdb_id AS movie_id FROM raw_link_small WHERE tmdb_id IS NOT NULL
