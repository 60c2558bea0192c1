-- People in the cast or crew of loaded movies, as the last mention that knows has them: the name,
-- the gender (0 is not set) and the portrait each by itself. Within a record the crew comes after the cast.
WITH mention AS (
  SELECT e.person_id, e.name, e.gender, e.profile_path, e.ordinal, 0 AS list, e.position
  FROM raw_cast AS e
  JOIN loaded_credit AS c ON c.ordinal = e.ordinal
  UNION ALL
  SELECT e.person_id, e.name, e.gender, e.profile_path, e.ordinal, 1 AS list, e.position
  FROM raw_crew AS e
  JOIN loaded_credit AS c ON c.ordinal = e.ordinal
),
placed AS (
  SELECT
    person_id,
    name,
    gender,
    profile_path,
    ROW_NUMBER() OVER (
      PARTITION BY person_id
      ORDER BY CASE WHEN name IS NULL THEN 1 ELSE 0 END, ordinal DESC, list DESC, position DESC
    ) AS name_place,
    ROW_NUMBER() OVER (
      PARTITION BY person_id
      ORDER BY CASE WHEN gender IS NULL THEN 2 WHEN gender = 0 THEN 1 ELSE 0 END,
        ordinal DESC, list DESC, position DESC
    ) AS gender_place,
    ROW_NUMBER() OVER (
      PARTITION BY person_id
      ORDER BY CASE WHEN profile_path IS NULL THEN 1 ELSE 0 END, ordinal DESC, list DESC, position DESC
    ) AS profile_place
  FROM mention
)
SELECT
  person_id,
  MAX(CASE WHEN name_place = 1 THEN name END) AS name,
  MAX(CASE WHEN gender_place = 1 THEN gender END) AS gender,
  MAX(CASE WHEN profile_place = 1 THEN profile_path END) AS profile_path
FROM placed
WHERE name_place = 1 OR gender_place = 1 OR profile_place = 1
GROUP BY person_id
