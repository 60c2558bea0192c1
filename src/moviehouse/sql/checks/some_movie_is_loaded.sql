-- At least one movie is loaded: an empty release never takes the place of a full one.
SELECT 'no movie' AS trouble
WHERE NOT EXISTS (SELECT 1 FROM movie)
