"""Writes of the dividends floor: announcements, entitlements, payments and splits. Each may run twice."""
