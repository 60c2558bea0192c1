-- Every year with a release that has a genre and a popularity has exactly one most popular genre.
SELECT s.year, COUNT(DISTINCT p.genre_id) AS genres
FROM genre_share AS s
LEFT JOIN genre_most_popular_by_year AS p ON p.year = s.year
WHERE s.popularity IS NOT NULL
GROUP BY s.year
HAVING COUNT(DISTINCT p.genre_id) <> 1
