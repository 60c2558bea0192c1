-- People in the cast or crew of loaded movies, as in the last mention that names them.
-- Within a record the crew comes after the cast.
WITH mention AS (
  SELECT e.person_id, e.name, e.gender, e.profile_path, e.ordinal, 0 AS list, e.position
  FROM raw_cast AS e
  JOIN loaded_credit AS c ON c.ordinal = e.ordinal
  UNION ALL
  SELECT e.person_id, e.name, e.gender, e.profile_path, e.ordinal, 1 AS list, e.position
  FROM raw_crew AS e
  JOIN loaded_credit AS c ON c.ordinal = e.ordinal
)
SELECT person_id, name, gender, profile_path
FROM (
  SELECT
    person_id,
    name,
    gender,
    profile_path,
    ROW_NUMBER() OVER (
      PARTITION BY person_id
      ORDER BY CASE WHEN name IS NULL THEN 1 ELSE 0 END, ordinal DESC, list DESC, position DESC
    ) AS place
  FROM mention
) AS placed
WHERE place = 1
