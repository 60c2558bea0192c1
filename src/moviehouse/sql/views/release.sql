-- Releases: movies with a release date whose status is Released or none. The year is the release
-- date's. Profit is known where both amounts are.
SELECT
  movie_id,
  title,
  CAST(EXTRACT(YEAR FROM release_date) AS INTEGER) AS year,
  budget_usd,
  revenue_usd,
  revenue_usd - budget_usd AS profit_usd,
  popularity
FROM movie
WHERE release_date IS NOT NULL AND (status = 'Released' OR status IS NULL)
