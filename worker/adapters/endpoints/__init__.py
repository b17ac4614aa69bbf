"""The newspaper's own endpoints, as this process reaches them."""
