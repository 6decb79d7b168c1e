GRANT SELECT ON reservations, stock TO auditor;
