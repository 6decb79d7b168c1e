GRANT SELECT ON payments TO auditor;
