"""What clients minimise in place of the plain loss, so that they do not drift apart."""
