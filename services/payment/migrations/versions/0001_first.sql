CREATE TABLE payments (
    order_id       uuid   PRIMARY KEY,
    version        bigint NOT NULL CHECK (version > 0),
    status         text   NOT NULL CHECK (status IN ('awaiting_stock', 'awaiting_order', 'charging', 'captured',
                                                     'declined', 'undoing', 'voided', 'refunded')),
    amount         bigint CHECK (amount BETWEEN 0 AND 1000000000000),
    currency       text   CHECK (currency ~ '^[A-Z]{3}$'),
    token          text,
    charge_id      text,
    decline_reason text,
    undo_id        text,
    CHECK ((amount IS NULL) = (currency IS NULL)),
    CHECK ((amount IS NULL) = (status IN ('awaiting_order', 'voided'))),
    CHECK ((token IS NOT NULL) = (status = 'awaiting_stock')),
    CHECK ((charge_id IS NOT NULL) = (status = 'captured')),
    CHECK ((decline_reason IS NOT NULL) = (status = 'declined')),
    CHECK (undo_id IS NOT NULL OR status <> 'refunded'),
    CHECK (undo_id IS NULL OR status IN ('voided', 'refunded'))
);

GRANT SELECT, INSERT, UPDATE ON payments TO "{role}";
