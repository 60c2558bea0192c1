-- The ratings of each MovieLens movie in each edition: how many, and their mean.
SELECT
  movielens_id,
  edition,
  COUNT(*) AS ratings,
  CAST(SUM(rating) AS DOUBLE) / COUNT(rating) AS rating_mean
FROM rating
GROUP BY movielens_id, edition
