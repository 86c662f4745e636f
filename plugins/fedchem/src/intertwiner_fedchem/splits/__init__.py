"""How records are divided among clients, and how different the clients are."""
