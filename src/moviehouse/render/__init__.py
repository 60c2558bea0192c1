"""What is rendered from the declaration: the DDL, the data dictionary, the ERD, the error log's page."""
