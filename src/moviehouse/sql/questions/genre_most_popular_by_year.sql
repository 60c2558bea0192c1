-- The most popular genre of each release year.
--
-- A genre's popularity in a year is the sum over its releases: its total attention, which grows with
-- their number. The mean and the number are shown beside it. The smaller genre id wins a tie.
-- The view genre_popularity_by_year ranks all genres, by the sum and by the mean.
-- A year whose popularity is not known at all has no row.
SELECT
  year,
  genre_id,
  genre,
  movies,
  CAST(popularity_total AS DECIMAL(38,9)) AS popularity_total,
  popularity_mean
FROM genre_popularity_by_year
WHERE rank_by_total = 1 AND popularity_total IS NOT NULL
ORDER BY year
