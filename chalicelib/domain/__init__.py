"""The product's rules: frozen values, transition tables, decisions. Pure: time and randomness come in as arguments."""
