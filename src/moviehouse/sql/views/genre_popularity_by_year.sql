-- All genres of a year, ranked by the popularity of their releases: by its sum, which grows with the
-- number of releases, and by its mean, among genres with at least 5 releases. The smaller id wins a tie.
WITH total AS (
  SELECT
    year,
    genre_id,
    COUNT(*) AS movies,
    SUM(popularity) AS popularity_total,
    CAST(SUM(popularity) AS DOUBLE) / COUNT(popularity) AS popularity_mean
  FROM genre_share
  GROUP BY year, genre_id
)
SELECT
  t.year,
  t.genre_id,
  g.name AS genre,
  t.movies,
  t.popularity_total,
  t.popularity_mean,
  ROW_NUMBER() OVER (
    PARTITION BY t.year ORDER BY t.popularity_total DESC NULLS LAST, t.genre_id
  ) AS rank_by_total,
  CASE WHEN t.movies >= 5 THEN ROW_NUMBER() OVER (
    PARTITION BY t.year
    ORDER BY CASE WHEN t.movies >= 5 THEN 0 ELSE 1 END, t.popularity_mean DESC NULLS LAST, t.genre_id
  ) END AS rank_by_mean
FROM total AS t
JOIN genre AS g ON g.genre_id = t.genre_id
ORDER BY year, rank_by_total
