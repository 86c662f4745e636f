"""Labelled molecules: embedded, downloaded, and a user's own."""
