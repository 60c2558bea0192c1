-- The token of the newest whole snapshot; no row where there is none.
SELECT observed_at, drop_id
FROM (
  SELECT observed_at, drop_id, ROW_NUMBER() OVER (ORDER BY observed_at DESC, drop_id DESC) AS place
  FROM reading
  WHERE "full"
) AS placed
WHERE place = 1
