"""The pages: each view asks its selector and fills a template."""
