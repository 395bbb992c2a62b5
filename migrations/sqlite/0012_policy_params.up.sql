-- What people set of the parameters that policies declare.
ALTER TABLE users ADD COLUMN policy_params TEXT;   -- JSON: by policy, by name; NULL is nothing
