"""JSON doors of what is read across floors."""
