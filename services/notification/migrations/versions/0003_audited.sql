GRANT SELECT ON correspondence TO auditor;
