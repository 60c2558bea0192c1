-- People in the cast or crew of loaded movies, as the last mention that knows has them: the name,
-- the gender (0 is not set) and the portrait each by itself. Within a record the crew comes after the cast.
WITH mention AS (
  SELECT e.person_id, e.name, e.gender, e.profile_path, (e.ordinal * 2 + 0) * 10000000 + e.position AS place
  FROM raw_cast AS e
  JOIN loaded_credit AS c ON c.ordinal = e.ordinal
  UNION ALL
  SELECT e.person_id, e.name, e.gender, e.profile_path, (e.ordinal * 2 + 1) * 10000000 + e.position AS place
  FROM raw_crew AS e
  JOIN loaded_credit AS c ON c.ordinal = e.ordinal
)
SELECT
  person_id,
  MAX_BY(name, place) FILTER (WHERE name IS NOT NULL) AS name,
  COALESCE(
    MAX_BY(gender, place) FILTER (WHERE gender <> 0),
    MAX_BY(gender, place) FILTER (WHERE gender = 0)
  ) AS gender,
  MAX_BY(profile_path, place) FILTER (WHERE profile_path IS NOT NULL) AS profile_path
FROM mention
GROUP BY person_id
