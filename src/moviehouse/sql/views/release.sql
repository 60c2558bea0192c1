-- Releases: movies with a release date whose status is Released or NULL. The year is that of the
-- release date. Profit is known if both amounts are.
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
