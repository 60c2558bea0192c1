-- The answers by genre count every release once for each of its genres, and no other movie.
SELECT a.year, a.movies, b.movies AS expected
FROM (SELECT year, SUM(movies) AS movies FROM genre_revenue_by_year GROUP BY year) AS a
FULL JOIN (
  SELECT r.year, COUNT(*) AS movies
  FROM release AS r
  JOIN movie_genre AS g ON g.movie_id = r.movie_id
  GROUP BY r.year
) AS b ON b.year = a.year
WHERE a.movies IS DISTINCT FROM b.movies
