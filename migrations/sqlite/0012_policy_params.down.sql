ALTER TABLE users DROP COLUMN policy_params;
