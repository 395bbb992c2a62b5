DROP TABLE policy_activations;
DROP TABLE policy_approvals;
DROP TABLE policy_versions;
DROP TABLE policy_ledger;
