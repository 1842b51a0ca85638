"""The rule: what one cell should do at one price. Pure functions over integers; live, replay and simulation call these."""
