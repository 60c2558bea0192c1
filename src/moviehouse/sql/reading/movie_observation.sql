-- What the drop observed of each movie that changes from hour to hour.
SELECT movie_id, popularity, vote_average, vote_count, budget_usd, revenue_usd
FROM loaded_movie
