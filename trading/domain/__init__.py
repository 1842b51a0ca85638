"""The rule: what one cell should do at one price. Live trading, replay and simulation call these functions."""
