"""Inventory: holds stock for orders, sells it, and gives it back."""
