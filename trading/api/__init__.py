"""The JSON doors of trading: cells, their events and evaluations, orders."""
