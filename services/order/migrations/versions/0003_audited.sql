GRANT SELECT ON orders TO auditor;
