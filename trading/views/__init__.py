"""The POST actions of pages, each act on a cell with the page that foresees it."""
