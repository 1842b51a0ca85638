"""The POST actions of pages."""
