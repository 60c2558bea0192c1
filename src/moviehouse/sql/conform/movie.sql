-- Movies: the loaded records, with the lines of their credits and keywords.
SELECT
  m.movie_id,
  m.title,
  m.original_title,
  m.original_language,
  m.collection_id,
  m.status,
  m.release_date,
  m.runtime_minutes,
  m.budget_usd,
  m.revenue_usd,
  m.popularity,
  m.vote_average,
  m.vote_count,
  m.imdb_id,
  m.adult,
  m.video,
  m.overview,
  m.tagline,
  m.homepage,
  m.poster_path,
  'movies_metadata.csv' AS source_file,
  m.line AS source_line,
  c.line AS credits_line,
  k.line AS keywords_line
FROM loaded_movie AS m
LEFT JOIN loaded_credit AS c ON c.movie_id = m.movie_id
LEFT JOIN loaded_keyword_list AS k ON k.movie_id = m.movie_id
ORDER BY m.movie_id
