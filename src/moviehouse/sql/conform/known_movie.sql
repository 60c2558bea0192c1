-- The movies that other files may refer to: those that are loaded.
SELECT movie_id
FROM loaded_movie
