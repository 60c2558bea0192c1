-- Collections of loaded movies, as in the last movie that names them.
SELECT collection_id, collection_name AS name, collection_poster_path AS poster_path,
  collection_backdrop_path AS backdrop_path
FROM (
  SELECT
    collection_id,
    collection_name,
    collection_poster_path,
    collection_backdrop_path,
    ROW_NUMBER() OVER (
      PARTITION BY collection_id
      ORDER BY CASE WHEN collection_name IS NULL THEN 1 ELSE 0 END, ordinal DESC
    ) AS place
  FROM loaded_movie
  WHERE collection_id IS NOT NULL
) AS placed
WHERE place = 1
