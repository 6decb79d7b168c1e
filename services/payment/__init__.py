"""Payment: charges what an order costs once its stock is held, and undoes it when the order is cancelled."""
