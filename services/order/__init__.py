"""Order: takes orders and alone judges whether they live."""
