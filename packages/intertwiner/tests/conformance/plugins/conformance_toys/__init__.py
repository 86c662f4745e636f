"""Small plugins for testing the kit: one honest, the others wrong in one way each."""
