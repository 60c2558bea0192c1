-- MovieLens's movies as the current links have them, with the drops that the lines are of.
SELECT m.*, l.drop_id AS links_drop_id, s.drop_id AS links_small_drop_id
FROM linked_movie AS m
LEFT JOIN loaded_link AS l ON l.movielens_id = m.movielens_id
LEFT JOIN loaded_link_small AS s ON s.movielens_id = m.movielens_id
