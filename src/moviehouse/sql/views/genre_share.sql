-- The releases of each genre, with the genre's share of their amounts: a movie's amount divided evenly
-- among its genres in whole cents. The first genres in its list get the odd cents.
WITH placed AS (
  SELECT
    movie_id,
    genre_id,
    ROW_NUMBER() OVER (PARTITION BY movie_id ORDER BY position) AS place,
    COUNT(*) OVER (PARTITION BY movie_id) AS sharers
  FROM movie_genre
),
cents AS (
  SELECT
    r.*,
    p.genre_id,
    r.budget_usd * 100 // p.sharers
      + CASE WHEN p.place = 1 THEN r.budget_usd * 100 % p.sharers ELSE 0 END AS budget_cents,
    r.revenue_usd * 100 // p.sharers
      + CASE WHEN p.place = 1 THEN r.revenue_usd * 100 % p.sharers ELSE 0 END AS revenue_cents
  FROM release AS r
  JOIN placed AS p ON p.movie_id = r.movie_id
)
SELECT
  movie_id,
  year,
  genre_id,
  budget_usd,
  revenue_usd,
  profit_usd,
  popularity,
  CAST(CAST(budget_cents AS DECIMAL(16,0)) * 0.01 AS DECIMAL(18,2)) AS budget_usd_allocated,
  CAST(CAST(revenue_cents AS DECIMAL(16,0)) * 0.01 AS DECIMAL(18,2)) AS revenue_usd_allocated,
  CAST(CAST(revenue_cents - budget_cents AS DECIMAL(16,0)) * 0.01 AS DECIMAL(18,2)) AS profit_usd_allocated
FROM cents
